"""Every option of `mtcli serve` reaches the server; what cannot be served is said in a sentence."""

import inspect
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.command import mtcli
from typer.testing import CliRunner

from mtcli.cli import serve as serve_command
from mtcli.cli.main import app
from mtcli.model_directory.box import IN_THE_BOX
from mtcli.serve import server
from mtcli.serve.settings import NamedModel, ServeSettings

Found = Callable[[ServeSettings, str, int], Any]
BOX = NamedModel(IN_THE_BOX, may_yield=True)
OTHER = NamedModel(Path("b"), ("ko", "en"))
# Of every parameter of the command: how it is given, where it arrives, as what.
OPTIONS: dict[str, tuple[str, Found, Any]] = {
    "model": (
        "-m a -m ko-en=b",
        lambda s, *_: s.models,
        [NamedModel(Path("a")), OTHER, BOX],
    ),
    "no_box": ("--no-box", lambda s, *_: s.models, []),
    "host": ("--host ::1", lambda _, host, port: host, "::1"),
    "port": ("--port 1", lambda _, host, port: port, 1),
    "api_keys": ("--api-keys keys", lambda s, *_: s.keys, Path("keys")),
    "char_limit": ("--char-limit 5", lambda s, *_: s.limits.chars, 5),
    "batch_limit": ("--batch-limit 5", lambda s, *_: s.limits.batch, 5),
    "queue": ("--queue 5", lambda s, *_: s.limits.queue, 5),
    "timeout": ("--timeout 5", lambda s, *_: s.limits.seconds, 5.0),
    "file_limit": ("--file-limit 5", lambda s, *_: s.limits.file_bytes, 5_000_000),
    "cors": ("--cors https://a --cors https://b", lambda s, *_: list(s.cors), ["https://a", "https://b"]),
    "idle_unload": ("--idle-unload 5", lambda s, *_: s.idle_minutes, 5.0),
    "log_requests": ("--log-requests", lambda s, *_: (s.log_requests, s.log_text), (True, False)),
    "log_text": ("--log-text", lambda s, *_: (s.log_requests, s.log_text), (True, True)),
    "beam": ("-b 7", lambda s, *_: s.options.beam_size, 7),
    "greedy": ("--greedy", lambda s, *_: s.options.beam_size, 1),
    "length_penalty": ("--length-penalty 0.3", lambda s, *_: s.options.length_penalty, 0.3),
    "sentences": ("--sentences keep", lambda s, *_: s.options.sentences, "keep"),
    "no_repair": ("--no-repair", lambda s, *_: s.options.repair, False),
    "assignments": ("--set decoding.stop=certain", lambda s, *_: s.options.settings, {"stop": "certain"}),
    "engine": ("--engine torch", lambda s, *_: s.compute.engine, "torch"),
    "device": ("--device cuda:3", lambda s, *_: s.compute.device, "cuda:3"),
    "dtype": ("--dtype float16", lambda s, *_: s.compute.dtype, "float16"),
    "attention": ("--attention padded", lambda s, *_: s.compute.attention, "padded"),
}
APART = {"quiet", "traceback"}  # what is told, not what is done


def called_with(arguments: str, monkeypatch: pytest.MonkeyPatch) -> tuple[ServeSettings, str, int]:
    """What the command hands on."""
    calls: list[tuple[ServeSettings, str, int]] = []
    monkeypatch.setattr(server, "serve", lambda settings, host, port, say: calls.append((settings, host, port)))
    finished = CliRunner().invoke(app, ["serve", *arguments.split()])
    assert finished.exit_code == 0, finished.output
    return calls[0]


def test_no_option_is_left_out_above() -> None:
    assert OPTIONS.keys() | APART == inspect.signature(serve_command.command).parameters.keys()


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_reaches_the_server(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments, found, value = OPTIONS[name]
    assert found(*called_with("", monkeypatch)) != value
    assert found(*called_with(arguments, monkeypatch)) == value


def test_an_address_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        finished = mtcli("serve", "--port", port)
    assert finished.returncode == 1
    assert finished.stderr.decode() == (
        f"Error: Cannot listen on 127.0.0.1 port {port}: Address already in use. "
        "Choose another with --host and --port.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ("-m e=a", 2, "expected a model directory"),
        ("-m none", 1, "does not exist"),
        ("--no-box", 2, "nothing to serve"),
        ("--api-keys none", 1, "The file none does not exist"),
    ],
)
def test_what_cannot_be_served(arguments: str, code: int, sentence: str) -> None:
    finished = mtcli("serve", "--port", "0", *arguments.split())
    assert finished.returncode == code
    assert sentence in finished.stderr.decode()


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve_command, "_PACKAGES", ("starlette", "no_such_package"))
    finished = CliRunner().invoke(app, ["serve"])
    assert finished.exit_code == 1
    assert "needs no_such_package: pip install 'mtcli-nmt[serve]'" in finished.stderr
