"""What pages of the documentation promise and tests compute anew: their tables, and their excerpts of the source."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_TABLE = re.compile(r"^<!-- table: ([\w-]+) -->\n((?:\|.*\|\n)+)", re.MULTILINE)
_EXCERPT = re.compile(r"^<!-- excerpt: (\S+) -->\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

Rows = list[list[str]]


def tables(page: Path) -> dict[str, Rows]:
    """Every table below a `<!-- table: NAME -->`: its rows of cells, the header first."""
    found = {
        name: [_cells(line) for line in body.splitlines()] for name, body in _TABLE.findall(page.read_text("utf-8"))
    }
    return {name: [rows[0], *rows[2:]] for name, rows in found.items()}


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def numbers(rows: Rows) -> list[list[str]]:
    """The cells of rows that hold numbers alone, one or several, as they are printed; the header is left out."""
    return [[word for cell in row if _is_numeric(cell) for word in cell.strip("`").split()] for row in rows[1:]]


def _is_numeric(cell: str) -> bool:
    return re.fullmatch(r"`?-?\d[\d.]*( -?\d[\d.]*)*`?", cell) is not None


def excerpts(page: Path) -> list[tuple[str, str]]:
    """The path and the lines of every block of Python below an `<!-- excerpt: PATH -->`."""
    return _EXCERPT.findall(page.read_text("utf-8"))


def bare_lines(text: str) -> list[str]:
    """The lines of Python without their indents and what they tell the type checker; blank ones are left out."""
    lines = (line.split("  # type: ignore")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]
