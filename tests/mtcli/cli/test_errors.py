"""Every exception ends in sentences and an exit code."""

import errno
import io
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from mtcli import errors
from mtcli.cli.errors import RULES, explain, printable, reports_errors
from mtcli.cli.main import app
from mtcli.config import PRESETS, Config
from mtcli.errors import DataError, ExitCode, MtcliError, UsageError

ROOT = Path(__file__).resolve().parents[3]

ENDS: dict[str, tuple[BaseException, int, str]] = {
    "our own": (DataError("F:3 is bad."), 1, "Error: F:3 is bad."),
    "a wrong command line": (UsageError("No."), 2, "Error: No."),
    "Ctrl-C": (KeyboardInterrupt(), 130, "Interrupted."),
    "no reader": (BrokenPipeError(errno.EPIPE, "Broken pipe"), 0, ""),
    "memory": (MemoryError(), 1, "Error: out of memory."),
    "memory of a CPU": (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), 1, "out of memory"),
    "memory of a GPU": (RuntimeError("CUDA out of memory. Tried to allocate 20 GiB"), 1, "out of memory"),
    "a driver": (RuntimeError("The NVIDIA driver on your system is too old"), 1, "the device failed: The NVIDIA"),
    "a kernel": (RuntimeError("CUDA error: no kernel image is available\nmore"), 1, "is available. Other programs"),
    "a full disk": (OSError(errno.ENOSPC, "No space left on device", "F"), 1, "write F: no space is left"),
    "a full disk somewhere": (OSError(errno.ENOSPC, "No space left on device"), 1, "could not be used: No space"),
    "no permission": (PermissionError(errno.EACCES, "Permission denied", "F"), 1, "Cannot use F: permission denied"),
    "a missing file": (FileNotFoundError(errno.ENOENT, "No such file", b"F"), 1, "F does not exist"),
    "too many files": (OSError(errno.EMFILE, "Too many open files", "F"), 1, "Cannot use F: Too many open files"),
    "a closed stream": (io.UnsupportedOperation("not readable"), 1, "standard input or output is closed"),
    "a missing package": (ModuleNotFoundError("No module named 'x'"), 1, "No module named 'x'. Install it again"),
    "a bug": (ZeroDivisionError("division by zero\nthere"), 1, "a bug in mtcli: ZeroDivisionError: division by zero."),
    "a bug without words": (AssertionError(), 1, "AssertionError: no more is known."),
    "a recursion": (RecursionError("maximum recursion depth exceeded"), 1, "a bug in mtcli: RecursionError"),
}


@pytest.mark.parametrize("name", ENDS)
def test_exceptions_become_sentences(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    error, code, gist = ENDS[name]

    @reports_errors
    def command(traceback: bool = False) -> None:
        raise error

    with pytest.raises(typer.Exit) as ended:
        command()
    shown = capsys.readouterr()
    assert (ended.value.exit_code, shown.out) == (code, "")
    assert gist in shown.err
    assert shown.err.count("\n") == bool(gist)
    assert "Traceback" not in shown.err
    if gist:
        with pytest.raises(typer.Exit):
            command(traceback=True)
        shown = capsys.readouterr()
        assert "Traceback (most recent call last)" in shown.err
        assert gist in shown.err


def test_a_bug_names_its_place() -> None:
    try:
        [][1]
    except IndexError as error:
        assert f"({Path(__file__).name}:" in explain(error)[0]


def test_an_exit_on_purpose_is_left_alone() -> None:
    @reports_errors
    def command() -> None:
        raise typer.Exit(7)

    with pytest.raises(typer.Exit) as ended:
        command()
    assert ended.value.exit_code == 7


def test_a_stderr_that_is_full_changes_no_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def fileno(self) -> int:
            raise io.UnsupportedOperation

    @reports_errors
    def command() -> None:
        raise DataError("bad")

    monkeypatch.setattr(sys, "stderr", Full())
    with pytest.raises(typer.Exit) as ended:
        command()
    assert ended.value.exit_code == 1


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert printable("a\x1b[31m\rb\x00\x9bä한\u2028\n") == "a\\x1b[31m\\x0db\\x00\\x9bä한\u2028\n"


def test_every_command_shows_its_stack_on_request() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        assert "traceback" in command.callback.__annotations__, command.name


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "docs")
    import generator.errors
    import generator.settings

    return generator


def test_the_errors_are_drawn_as_they_are(generator: Any) -> None:
    for line in generator.errors.tree(MtcliError):
        assert f"    {line}\n" in (errors.__doc__ or "")


def test_the_documentation_explains_every_setting(generator: Any) -> None:
    page = generator.settings.settings_page()
    fields = {name: field.annotation for name, field in Config.model_fields.items()}
    assert fields == {"preset": str | None, **generator.settings.SECTIONS}
    for name, kind in generator.settings.SECTIONS.items():
        section = page.split(f"## {name}\n")[1].split("\n## ")[0]
        for key, field in kind.model_fields.items():
            assert field.description, f"{name}.{key}"
            assert f"| `{key}` |" in section, f"{name}.{key}"
    for preset in PRESETS:
        assert f"| `{preset}` |" in page


def test_the_documentation_names_every_error_and_code(generator: Any) -> None:
    page = generator.errors.errors_page()
    own = [name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, MtcliError)]
    for name in [*own, *(rule.name for rule in RULES), *(f"| {code.value} |" for code in ExitCode)]:
        assert name in page
