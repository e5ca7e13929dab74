"""Processes that are killed: what they translate, how far they came."""

import json
import signal
import subprocess
from pathlib import Path

from support.command import MTCLI


def write_lines(path: Path, first: int, count: int) -> Path:
    """Different lines of different lengths, some blank, the last without a newline."""
    words = "a small dog sees the old house " * 9
    lines = [f"{number} {words[: number * 37 % 200]}" if number % 9 else " " for number in range(first, first + count)]
    path.write_text("\n".join(lines))
    return path


def committed_lines(directory: Path) -> int:
    """How far the journal in this directory says that a translation is."""
    for path in directory.glob(".*.journal"):
        if text := path.read_text():
            return int(json.loads(text)["lines"])
    return 0


def visible_files(directory: Path) -> dict[str, bytes]:
    """The outputs, without what lies hidden beside them."""
    return {path.name: path.read_bytes() for path in directory.iterdir() if not path.name.startswith(".")}


def killed_after(arguments: list[str], seconds: float) -> bool:
    """Run for so long, then kill; False where it had ended before, which it must have done well."""
    process = subprocess.Popen([*MTCLI, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, messages = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return process.returncode == -signal.SIGKILL
    assert process.returncode == 0, messages.decode()
    return False
