"""Public corpora, where somebody has put them: they are not part of the project."""

import os
from itertools import islice
from pathlib import Path

import pytest

from mtcli.files import read_lines

VARIABLE = "MTCLI_DATA"


def corpus_file(folder: str, name: str) -> Path:
    """A file of the corpora; skips the test where they are not to be had."""
    data = os.environ.get(VARIABLE)
    if not data:
        pytest.skip(f"{VARIABLE} does not name a folder that holds {folder}")
    path = Path(data) / folder / name
    if not path.exists():
        pytest.skip(f"{path} does not exist")
    return path


def first_lines(folder: str, name: str, count: int, out: Path) -> Path:
    """The file's first lines as a file of their own."""
    lines = islice(read_lines(corpus_file(folder, name)), count)
    out.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return out
