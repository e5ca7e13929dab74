"""Plain text in paragraphs (paragraphs): lines that were broken at a width are one text, and are wrapped again.

What was broken for another reason stays by line: lists, headings, poems, addresses. The cells of a row are apart, and
code between fences stays as it is.
"""

import itertools
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mtcli.formats.documents.model import ReadOptions, Segment
from mtcli.formats.documents.source_text import Slot, SourceText, TextFormat, is_text, text_slot
from mtcli.formats.documents.wrapping import fill, is_unspaced, width_of

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_FENCE = re.compile(r"[ ]{0,3}(```|~~~)")
_MARKER = re.compile(r"[ \t]*(?:(?:[-*+•–—]|\(?(?:\d{1,3}|[a-zA-Z])[.)]|#{1,6}|>+)[ \t]+)?")
_MARKS = re.compile(r"[-*+•–—#>]+|\(?(?:\d{1,3}|[a-zA-Z])[.)]")
_COLUMNS = re.compile(r"\t+|(?<![.!?:;,'\")])[ ]{2,}|[ ]{3,}|[ ]*\|[ ]*")
_LEAST_COLUMNS = 40  # of lines that were broken at a width
_USUAL_COLUMNS = 60  # where a text has no paragraph that tells
_MARKS_ROOM = 4
_LONG = 4  # lines of a paragraph that tells its own width


@dataclass(frozen=True, slots=True)
class _Line:
    """Hold a line: where it is, and its parts.

    Attributes:
        number: from 1.
        start, end: without its end.
        marker: white space and what marks a list's item, a heading or a quote.
        text: what follows.
        is_code: whether it is between fences.
    """

    number: int
    start: int
    end: int
    marker: str
    text: str
    is_code: bool

    @property
    def width(self) -> int:
        """Columns that it takes."""
        return width_of(self.marker) + width_of(self.text)


def _slots(text: SourceText, options: ReadOptions) -> Iterator[Slot]:
    """A slot for each paragraph, line or cell."""
    runs = list(_runs(_lines(text.text)))
    widths = [max(line.width for line in run) for run in runs if len(run) >= _LONG and _is_wrapped(run, 0)]
    usual = round(statistics.median(widths)) if widths else _USUAL_COLUMNS
    for run in runs:
        least = 0 if len(run) >= _LONG else usual
        if len(run) > 1 and _is_wrapped(run, least):
            yield from _paragraph(text, run, max(least, *(line.width for line in run)), options)
            continue
        for line in run:
            if options.wrap and len(run) == 1 and not _COLUMNS.search(line.text):
                yield from _paragraph(text, run, options.wrap, options)
            else:
                yield from _cells(text, line)


def _lines(text: str) -> Iterator[_Line]:
    fence = ""
    for number, match in enumerate(_LINE.finditer(text), start=1):
        content = match[0].rstrip()
        opening = _FENCE.match(content)
        is_code = bool(fence or opening)
        if opening and (not fence or fence == opening[1]):
            fence = "" if fence else opening[1]
        marker = _MARKER.match(content)
        place = marker.end() if marker else 0
        yield _Line(number, match.start(), match.start() + len(content), content[:place], content[place:], is_code)


def _runs(lines: Iterator[_Line]) -> Iterator[list[_Line]]:
    """Lines that could be a paragraph: beside one another, with the text at one column."""
    run: list[_Line] = []
    for line in lines:
        is_apart = line.is_code or not line.text or bool(line.marker.strip())
        if run and (is_apart or _column(line) != _column(run[-1])):
            yield run
            run = []
        if line.text and not line.is_code:
            run.append(line)
    if run:
        yield run


def _column(line: _Line) -> int:
    return width_of(line.marker.expandtabs())


def _is_wrapped(run: Sequence[_Line], least: int) -> bool:
    """Whether lines were broken at a width: no line had room for the first word of the next."""
    width = max(least, *(line.width for line in run), 0)
    if width < _LEAST_COLUMNS or any(_COLUMNS.search(line.text) for line in run):
        return False
    if len(run) > 2 and all(line.text[0].isupper() and not line.text.isupper() for line in run):
        return False  # a poem
    return all(_has_no_room(line, after, width) for line, after in itertools.pairwise(run))


def _has_no_room(line: _Line, after: _Line, width: int) -> bool:
    """Whether the first word of a line would not have been put on the one before."""
    used = line.width + len(_between(line.text, after.text)) + _first_width(after)
    # Unspaced scripts leave room as well, where a mark must not begin a line.
    return used > width - (_MARKS_ROOM if is_unspaced(after.text[0]) else 0)


def _first_width(line: _Line) -> int:
    return width_of(line.text[0]) if is_unspaced(line.text[0]) else width_of(line.text.split(" ", 1)[0])


def _between(text: str, after: str) -> str:
    """What the end of a line stands for: a space, but after a hyphen and in unspaced scripts."""
    if is_unspaced(text[-1]) and is_unspaced(after[0]):
        return ""
    return "" if text.endswith("-") and text[-2:-1].isalnum() and after[0].isalnum() else " "


def _paragraph(text: SourceText, run: Sequence[_Line], width: int, options: ReadOptions) -> Iterator[Slot]:
    first = run[0]
    content = first.text
    for line in run[1:]:
        content += _between(content, line.text) + line.text
    if not any(map(str.isalnum, content)) or not is_text(content):
        return
    prefix = run[1].marker if len(run) > 1 else " " * _column(first)
    columns = (options.wrap or width) - width_of(prefix)
    taken = max(width_of(first.marker) - width_of(prefix), 0)
    start = first.start + len(first.marker)
    segment = Segment(id=str(first.number), content=(content,))
    yield text_slot(start, run[-1].end, segment, _Wrapper(columns, taken, text.newline + prefix))


@dataclass(frozen=True, slots=True)
class _Wrapper:
    """Write a paragraph on lines."""

    columns: int
    taken: int
    between: str

    def __call__(self, text: str) -> str:
        return self.between.join(fill(" ".join(text.split("\n")).strip(), self.columns, self.taken, _may_begin))


def _may_begin(word: str) -> bool:
    """Whether a word at the beginning of a line would not be the mark of an item."""
    return not _MARKS.fullmatch(word)


def _cells(text: SourceText, line: _Line) -> Iterator[Slot]:
    """A line; a row of several cells in pieces."""
    start = line.start + len(line.marker)
    cuts = [(match.start(), match.end()) for match in _COLUMNS.finditer(line.text)]
    places = zip([0, *(end for _, end in cuts)], [*(begin for begin, _ in cuts), len(line.text)], strict=True)
    for number, (begin, end) in enumerate(places, start=1):
        cell = line.text[begin:end]
        if any(map(str.isalnum, cell)) and is_text(cell):
            name = str(line.number) if not cuts else f"{line.number}.{number}"
            yield text_slot(start + begin, start + end, Segment(id=name, content=(cell,)), _on_one_line)


def _on_one_line(text: str) -> str:
    return " ".join(text.split("\n")).strip()


FORMAT = TextFormat(name="paragraphs", title="text in paragraphs", slots=_slots)
