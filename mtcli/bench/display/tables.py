"""Tables and paragraphs, drawn by rich: in plain text for files and pipes, with a frame on a terminal."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.box import SIMPLE, Box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

WIDTH = 110
# A rule of dashes below the heads, and nothing else, so that every terminal and every file can hold it.
_RULED = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


@dataclass(frozen=True, kw_only=True)
class ReportTable:
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


Block = ReportTable | str
"""A table or a paragraph."""


def as_text(blocks: Sequence[Block], width: int = WIDTH) -> str:
    """All blocks in plain text, an empty line between them."""
    stream = io.StringIO()
    _draw(blocks, Console(file=stream, width=width, color_system=None, highlight=False, force_terminal=False), _RULED)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()).strip("\n") + "\n"


def show(blocks: Sequence[Block], stream: TextIO) -> None:
    """Print the blocks: as wide as the terminal where the stream is one."""
    if stream.isatty():
        _draw(blocks, Console(file=stream, highlight=False), SIMPLE)
    else:
        stream.write(as_text(blocks))


def _draw(blocks: Sequence[Block], console: Console, box: Box) -> None:
    for block in blocks:
        if isinstance(block, str):
            parts: list[RichTable | Text] = [Text(block)]
        else:
            parts = [Text(block.title, style="bold"), _rich_table(block, box), *map(Text, block.notes)]
        console.print(*parts, "", sep="\n")


def _rich_table(block: ReportTable, box: Box) -> RichTable:
    table = RichTable(box=box, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for place, head in enumerate(block.columns):
        if place in block.words:
            table.add_column(Text(head), vertical="top")
        else:
            longest = max((len(row[place]) for row in block.rows), default=0)
            table.add_column(Text(head), justify="right", min_width=longest, vertical="top")
    for row in block.rows:
        table.add_row(*map(Text, row))
    return table


def as_csv(rows: Iterable[Mapping[str, object]]) -> str:
    """A header, and rows that have the same keys; six significant digits, an empty cell for None, yes or no."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    for number, row in enumerate(rows):
        if number == 0:
            writer.writerow(row)
        writer.writerow(map(_csv_cell, row.values()))
    return stream.getvalue()


def _csv_cell(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else value


def number(value: float | None, *, whole: bool = False) -> str:
    """Three significant digits, all of those before the point, thousands set apart; nothing where there is none."""
    if value is None:
        return ""
    size = float("inf") if whole else abs(value)
    return f"{value:,.{0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3}f}"


def scaled(rate: float) -> str:
    """Three digits and a prefix, such as `1.53 T`, to which a unit can be added."""
    for factor, prefix in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rate >= factor:
            return f"{float(f'{rate / factor:.3g}'):g} {prefix}"
    return f"{rate:.3g} "


def share(value: float | None) -> str:
    """A share of 1 in percent; nothing where there is none."""
    if value is None:
        return ""
    return f"{value:.0%}" if value >= 0.1 else f"{value:.1%}"
