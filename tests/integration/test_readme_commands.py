"""The commands of README.md work: the quick start's exactly as printed, the others by their options."""

import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
SCRIPTS = sysconfig.get_path("scripts")
COMMAND_SECONDS = 180


def console_commands(markdown: str) -> list[str]:
    """The `$ ` lines of the fenced console blocks, each with its backslash continuations."""
    commands = []
    for block in re.findall(r"^```console\n(.*?)^```", markdown, flags=re.MULTILINE | re.DOTALL):
        commands += re.findall(r"^\$ ((?:[^\n]*\\\n)*[^\n]*)", block, flags=re.MULTILINE)
    return commands


def section(title: str) -> str:
    """The README's section of that title, up to the next one."""
    _, _, rest = README.partition(f"\n## {title}\n")
    return rest.partition("\n## ")[0]


def bash(command: str, directory: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([SCRIPTS, os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=directory,
        env={**os.environ, "PATH": path, "COLUMNS": "300", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=COMMAND_SECONDS,
    )


def options_of_readme() -> list[tuple[str, str]]:
    """Every (mtcli command, --option) that stands in a console block of the README."""
    used = set()
    for command in console_commands(README):
        for name, rest in re.findall(r"\bmtcli ([a-z]+)((?:\\\n|[^|>])*)", command):
            used |= {(name, option) for option in re.findall(r"(?<=\s)--[a-z][a-z-]*", rest)}
    return sorted(used)


def test_commands_are_found_with_their_continuations() -> None:
    text = "```console\n$ one \\\n    --two\noutput\n$ three\n```\n```sh\n$ not this\n```\n"
    assert console_commands(text) == ["one \\\n    --two", "three"]


@pytest.mark.slow
def test_the_quick_start_works_as_printed(tmp_path: Path) -> None:
    assert (Path(SCRIPTS) / "mtcli").exists(), "mtcli is not installed here: run `make install`"
    commands = console_commands(section("Quick start"))
    assert len(commands) > 5
    for command in commands:
        finished = bash(command, tmp_path)
        assert finished.returncode == 0, f"$ {command}\n{finished.stdout}\n{finished.stderr}"
        assert "Traceback" not in finished.stderr
        if command.startswith("echo"):
            assert finished.stdout.count("\n") == 1
            assert finished.stdout.strip()
    sources = (tmp_path / "corpus" / "test.ko").read_bytes().count(b"\n")
    assert (tmp_path / "test.hyp.en").read_bytes().count(b"\n") == sources > 0
    assert (tmp_path / "test.scores").read_bytes().count(b"\n") == sources


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (command, sorted(option for name, option in options_of_readme() if name == command))
        for command in sorted({name for name, _ in options_of_readme()})
    ],
)
def test_every_option_of_the_readme_is_in_the_help(command: str, options: list[str], tmp_path: Path) -> None:
    finished = bash(f"mtcli {command} --help", tmp_path)
    assert finished.returncode == 0, finished.stderr
    documented = set(re.findall(r"--[a-z][a-z-]*", finished.stdout))
    assert set(options) <= documented
