"""What is translated by processes that are killed, and how far they came."""

import json
from pathlib import Path


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
