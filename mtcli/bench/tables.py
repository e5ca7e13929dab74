"""Tables and paragraphs as data, and how they are shown: in aligned columns, or by rich on a terminal."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from rich.cells import cell_len

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 110
NARROWEST = 16  # columns of the terminal that the first column keeps
GAP = "  "


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under headers.

    Attributes:
        title: above it.
        columns: headers, with the unit of what stands below.
        rows: cells; the columns of words stand left, the others right.
        words: how many columns, from the left, hold words.
        notes: sentences below it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    notes: tuple[str, ...] = ()


Block = Table | str
"""A table or a paragraph."""


def as_text(blocks: Sequence[Block], width: int = WIDTH) -> str:
    """All blocks in plain text, an empty line between them, columns aligned by blanks."""
    return "\n\n".join("\n".join(_lines(block, width)) for block in blocks) + "\n"


def _lines(block: Block, width: int) -> Iterator[str]:
    if isinstance(block, str):
        yield from wrapped(block, width)
        return
    yield from wrapped(block.title, width)
    yield from _grid(block, width)
    for note in block.notes:
        yield from wrapped(note, width)


def wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _grid(table: Table, width: int) -> Iterator[str]:
    """Header, rule and rows; where they are too wide, the first column is broken into lines."""
    widths = [max(map(cell_len, column)) for column in zip(table.columns, *table.rows, strict=True)]
    others = sum(widths[1:]) + len(GAP) * (len(widths) - 1)
    widths[0] = min(widths[0], max(width - others, NARROWEST))
    yield from _row(table.columns, widths, table.words)
    yield GAP.join("-" * each for each in widths)
    for row in table.rows:
        yield from _row(row, widths, table.words)


def _row(cells: Sequence[str], widths: Sequence[int], words: int) -> Iterator[str]:
    first, *more = wrapped(cells[0], widths[0]) or [""]
    padded = [
        _padded(cell, width, left=place < words)
        for place, (cell, width) in enumerate(zip((first, *cells[1:]), widths, strict=True))
    ]
    yield GAP.join(padded).rstrip()
    yield from more


def _padded(cell: str, width: int, *, left: bool) -> str:
    blanks = " " * (width - cell_len(cell))
    return cell + blanks if left else blanks + cell


def show(blocks: Sequence[Block], stream: TextIO) -> None:
    """Print the blocks: with rich where the stream is a terminal."""
    if not stream.isatty():
        stream.write(as_text(blocks))
        return
    from rich.console import Console

    console = Console(file=stream, highlight=False)
    for block in blocks:
        if isinstance(block, str):
            console.print(block, markup=False)
        else:
            _show_table(block, console)
        console.print()


def _show_table(block: Table, console: "Console") -> None:
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(title=Text(block.title, style="bold"), title_justify="left")
    for place, head in enumerate(block.columns):
        table.add_column(Text(head), justify="left" if place < block.words else "right")
    for row in block.rows:
        table.add_row(*map(Text, row))
    console.print(table)
    for note in block.notes:
        console.print(note, markup=False)
