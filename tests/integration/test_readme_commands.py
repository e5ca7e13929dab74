"""The commands that README, the quick start and the tutorial print work as they stand there.

Blocks marked `console` are run; tests/docs/test_commands.py reads the others.
"""

import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest
from support.markdown import ROOT, console_commands

SCRIPTS = sysconfig.get_path("scripts")
_INSTALL = re.compile(r"<!-- begin: install -->.*?<!-- end: install -->", re.DOTALL)


def commands_of(page: str) -> list[str]:
    """The commands of a page's console blocks, but for those that install mtcli."""
    return console_commands(_INSTALL.sub("", (ROOT / page).read_text(encoding="utf-8")))


def run(commands: list[str], directory: Path) -> list[str]:
    """Run command lines one after the other in a directory; return what each printed."""
    assert (Path(SCRIPTS) / "mtcli").exists(), "mtcli is not installed here: run `make install`"
    environment = {**os.environ, "PATH": os.pathsep.join([SCRIPTS, os.environ["PATH"]]), "NO_COLOR": "1"}
    printed = []
    for command in commands:
        finished = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        assert finished.returncode == 0, f"$ {command}\n{finished.stdout}\n{finished.stderr}"
        assert "Traceback" not in finished.stderr
        printed.append(finished.stdout)
    return printed


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def test_commands_are_found_with_their_continuations() -> None:
    text = "```console\n$ one \\\n    --two\noutput\n$ three\n```\n```sh\n$ not this\n```\n"
    assert console_commands(text) == ["one \\\n    --two", "three"]


@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md"])
def test_the_quick_start_works_as_printed(page: str, tmp_path: Path) -> None:
    commands = commands_of(page)
    assert len(commands) >= 3
    translation = run(commands, tmp_path)[0]
    assert translation.strip() and f"\n{translation}$ " in (ROOT / page).read_text(encoding="utf-8")
    assert lines(tmp_path / "letter.en") == lines(tmp_path / "letter.de") > 0


@pytest.mark.slow
def test_the_tutorial_works_as_printed(tmp_path: Path) -> None:
    commands = commands_of("docs/tutorial.md")
    assert len(commands) >= 9
    run(commands, tmp_path)
    sources = lines(tmp_path / "corpus" / "test.ko")
    assert lines(tmp_path / "test.hyp.en") == lines(tmp_path / "test.scores") == sources > 0
    assert (tmp_path / "ko-en-small" / "model.safetensors").exists()
