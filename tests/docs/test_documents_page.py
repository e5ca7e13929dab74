"""The guide on documents names every format that there is, and its example from Python runs."""

import re
import subprocess
import sys
from pathlib import Path

from mtcli.formats.documents.registry import FORMATS

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "documents.md"


def test_the_table_has_every_format_and_suffix() -> None:
    rows = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `") and "| files |" not in line
    ]
    names = {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}
    suffixes = {suffix for row in rows for suffix in re.findall(r"`(\.[^`]+)`", row.split("|")[2])}
    assert names == set(FORMATS)
    assert suffixes == {suffix for form in FORMATS.values() for suffix in form.suffixes}


def test_the_example_runs(tmp_path: Path) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (tmp_path / "film.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nWhere is <i>my book</i>?\n")
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert "<i>mein Buch</i>?" in (tmp_path / "film.de.srt").read_text()
