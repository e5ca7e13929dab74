"""Tables and paragraphs as data, and how they are shown: in aligned columns, or by rich on a terminal."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, TextIO

from rich.cells import cell_len

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 110
NARROWEST = 14  # columns of the page that a column of words keeps
GAP = "  "


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under headers.

    Attributes:
        title: above it.
        columns: headers, with the unit of what stands below.
        rows: cells.
        words: which columns hold words: they stand left, and are broken into lines where the table is too wide.
        notes: sentences below it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = (0,)
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
    """The text in lines; those that it has stay ends of lines."""
    wrapper = textwrap.TextWrapper(max(width, 1), break_long_words=False, break_on_hyphens=False)
    return [part for line in text.splitlines() for part in wrapper.wrap(line)]


def _grid(table: Table, width: int) -> Iterator[str]:
    """Header, rule and rows."""
    widths = _widths(table, width)
    yield from _row(table.columns, widths, table.words, broken=range(len(widths)))
    yield GAP.join("-" * each for each in widths)
    for row in table.rows:
        yield from _row(row, widths, table.words, broken=table.words)


def _widths(table: Table, width: int) -> list[int]:
    """Of the columns: narrower where words are, and then over figures, as far as the whole is to be."""
    columns = list(zip(table.columns, *table.rows, strict=True))
    widths = [max(map(cell_len, column)) for column in columns]
    figures = [place for place in range(len(columns)) if place not in table.words]
    least = dict.fromkeys(table.words, NARROWEST)
    least |= {place: max(map(cell_len, [*columns[place][0].split(), *columns[place][1:]])) for place in figures}
    for places in (table.words, figures):
        while sum(widths) + len(GAP) * (len(widths) - 1) > width:
            wide = [place for place in places if widths[place] > least[place]]
            if not wide:
                break
            widths[max(wide, key=lambda place: widths[place])] -= 1
    return widths


def _row(cells: Sequence[str], widths: Sequence[int], words: Sequence[int], broken: Sequence[int]) -> Iterator[str]:
    """A row's lines: cells of the columns in `broken` are wrapped, those in `words` stand at the left."""
    lines = [
        wrapped(cell, width) if place in broken else [cell]
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    for line in zip_longest(*lines, fillvalue=""):
        padded = [_padded(cell, widths[place], left=place in words) for place, cell in enumerate(line)]
        yield GAP.join(padded).rstrip()


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
    from rich.box import SIMPLE
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(box=SIMPLE, title=Text(block.title, style="bold"), title_justify="left")
    for place, head in enumerate(block.columns):
        table.add_column(Text(head), justify="left" if place in block.words else "right")
    for row in block.rows:
        table.add_row(*map(Text, row))
    console.print(table)
    for note in block.notes:
        console.print(note, markup=False)
