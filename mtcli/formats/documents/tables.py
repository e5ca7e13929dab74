"""Tables (csv-table, tsv-table): `source` is translated into `target` where that is empty; the first row names columns.

The settings `source` and `target` name other ones. Quotes stay as they are.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mtcli.errors import DataError
from mtcli.formats.documents.model import ReadOptions, Segment
from mtcli.formats.documents.source_text import Slot, SourceText, TextFormat, edges, is_text, text_slot


@dataclass(frozen=True, slots=True)
class Cell:
    """Hold one cell: where it is, and what it says without its quotes."""

    start: int
    end: int
    value: str
    is_quoted: bool


def rows(text: SourceText, delimiter: str) -> Iterator[list[Cell]]:
    """Yield the rows; a quoted cell may hold delimiters, line ends and doubled quotes.

    Raises:
        DataError: a quote is not closed, or something stands after it; names the line.
    """
    plain = re.compile(rf"[^{delimiter}\r\n]*")
    content, place = text.text, 0
    row: list[Cell] = []
    while place < len(content) or row:
        if content.startswith('"', place):
            cell = _quoted(text, place)
        else:
            match = plain.match(content, place)
            end = match.end() if match else place
            cell = Cell(place, end, content[place:end], False)
        row.append(cell)
        place = cell.end
        if content.startswith(delimiter, place):
            place += 1
            continue
        if place < len(content) and content[place] not in "\r\n":
            raise text.error(place, "something stands after a closing quote. Double the quotes that belong to a text.")
        yield row
        row = []
        place += 2 if content.startswith("\r\n", place) else 1


def _quoted(text: SourceText, start: int) -> Cell:
    place = start + 1
    while True:
        place = text.text.find('"', place)
        if place < 0:
            raise text.error(start, "a quote begins here and is never closed. Double the quotes that belong to a text.")
        if not text.text.startswith('""', place):
            return Cell(start, place + 1, text.text[start + 1 : place].replace('""', '"'), True)
        place += 2


@dataclass(frozen=True)
class _Table:
    """Say how tables of a kind are read: their delimiters, the most usual first."""

    delimiters: str

    def __call__(self, text: SourceText, options: ReadOptions) -> Iterator[Slot]:
        """Yield a slot for each row that has a source."""
        names = (options.settings.get("source", "source"), options.settings.get("target", "target"))
        delimiter = self._delimiter(text, names)
        numbered = enumerate(rows(text, delimiter), start=1)
        _, header = next(numbered, (1, []))
        source, target = (self._column(text, header, name) for name in names)
        for number, row in numbered:
            if source < len(row) and is_text(row[source].value):
                yield self._slot(text, row, source, target, str(number), delimiter)

    def _delimiter(self, text: SourceText, names: Sequence[str]) -> str:
        """The one with which the first row has the columns."""
        for delimiter in self.delimiters:
            try:
                first = next(rows(text, delimiter), [])
            except DataError:  # which a quoted name is where another delimiter follows it
                continue
            if set(names) <= {cell.value.strip() for cell in first}:
                return delimiter
        return self.delimiters[0]

    def _column(self, text: SourceText, header: Sequence[Cell], name: str) -> int:
        columns = [cell.value.strip() for cell in header]
        if name not in columns:
            raise text.error(
                0, f"there is no column {name}; there are {', '.join(columns)}. Name the columns in the first row."
            )
        return columns.index(name)

    def _slot(
        self, text: SourceText, row: Sequence[Cell], source: int, target: int, number: str, delimiter: str
    ) -> Slot:
        origin = row[source]
        before, core, after = edges(origin.value)
        found = row[target] if target < len(row) else None
        has_target = found is not None and bool(found.value.strip())
        others = (f"{cell.value}" for place, cell in enumerate(row) if place not in (source, target))
        segment = Segment(
            id=number,
            content=(core,),
            translate=not has_target,
            context=" ".join(filter(None, map(str.strip, others))),
            target=(found.value,) if found is not None and has_target else None,
        )
        missing = delimiter * (target - len(row) + 1)
        start, end = (found.start, found.end) if found else (row[-1].end, row[-1].end)
        is_quoted = origin.is_quoted or (found is not None and found.is_quoted)
        return text_slot(start, end, segment, lambda new: missing + _cell(before + new + after, is_quoted, delimiter))


def _cell(value: str, is_quoted: bool, delimiter: str) -> str:
    is_needed = is_quoted or any(character in value for character in f'{delimiter}"\r\n')
    return '"' + value.replace('"', '""') + '"' if is_needed else value


CSV = TextFormat(name="csv-table", title="table of comma-separated values", slots=_Table(",;\t"))
TSV = TextFormat(name="tsv-table", title="table of tab-separated values", slots=_Table("\t"))
