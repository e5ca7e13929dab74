"""What of a segment is translated as one, and what around it only stands there.

A line of a segment becomes a unit without the codes and spaces at its edges: codes around all of it, points before or
behind. Hard line breaks part units.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mtcli.checking.spans import SpanKind, protected_spans
from mtcli.decoding.lines import has_words
from mtcli.documents.placement import Placed
from mtcli.formats.documents.model import Code, CodeKind, Content, joined, plain

_PROTECTED = frozenset(SpanKind) - {SpanKind.NUMBER}
_MOST_WORDS_OF_CODE = 12  # a pair that is opaque and longer is not read by the model


@dataclass(frozen=True, slots=True)
class Piece:
    """Hold what a translation must have exactly as the source has it.

    Attributes:
        start, end: where it is in the unit's text.
        content: what is written for it: its text, with its codes where it is opaque.
    """

    start: int
    end: int
    content: Content


@dataclass(frozen=True, slots=True)
class Unit:
    """Hold what is translated as one.

    Attributes:
        text: as the model reads it, on one line.
        codes: what must come back in between, in order.
        pieces: what must come back as it is, in order; none overlap.
    """

    text: str
    codes: tuple[Placed, ...] = ()
    pieces: tuple[Piece, ...] = ()


Framed = list[str | Code | Unit]
"""A content with what is translated of it as units; the rest is kept."""


@dataclass(frozen=True, slots=True)
class Protection:
    """Say what must be kept, beside what `mtcli.checking.spans` finds: what the user's patterns match."""

    patterns: tuple[re.Pattern[str], ...] = ()

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the pieces of a text are, in order; no two overlap, and a user's win."""
        own = [match.span() for pattern in self.patterns for match in pattern.finditer(text) if match[0].strip()]
        found = sorted(own, key=lambda span: (span[0], -span[1])) + [
            (span.start, span.end) for span in protected_spans(text, _PROTECTED)
        ]
        taken: list[tuple[int, int]] = []
        for start, end in found:
            if all(end <= first or start >= last for first, last in taken):
                taken.append((start, end))
        return sorted(taken)

    def in_order(self, text: str) -> list[str]:
        """The pieces of a text, as they stand in it."""
        return [text[start:end] for start, end in self.spans(text)]

    def texts(self, text: str) -> list[str]:
        """The pieces of a text, sorted: a translation keeps them if it has the same."""
        return sorted(self.in_order(text))


def framed(content: Content, protection: Protection) -> Framed:
    """Take a content apart into what is translated and what stays around it."""
    found: Framed = []
    for line, after in _lines(_opaque_as_one(content)):
        found += _framed_line(line, protection)
        found += after
    return found


def assembled(items: Sequence[str | Code | Content]) -> Content:
    """Put a content together of what stays and of the contents of its units."""
    return joined(piece for item in items for piece in (item if isinstance(item, tuple) else (item,)))


@dataclass(frozen=True, slots=True)
class _Whole:
    """A pair and all in it, which is kept as it is; one that is hidden is no part of the text."""

    content: Content
    is_hidden: bool = False

    @property
    def text(self) -> str:
        text = "" if self.is_hidden else plain(self.content)
        return text if text.strip() and "\n" not in text and len(text.split()) <= _MOST_WORDS_OF_CODE else ""


_Item = str | Code | _Whole


def _opaque_as_one(content: Content) -> list[_Item]:
    found: list[_Item] = []
    places = iter(range(len(content)))
    for place in places:
        piece = content[place]
        end = _end_of(content, place)
        is_opaque = isinstance(piece, Code) and piece.is_opaque
        is_mark = end is not None and _is_mark(content[:place], content[place : end + 1])
        if end is None or not (is_opaque or is_mark):
            found.append(piece)
            continue
        found.append(_Whole(content[place : end + 1], is_hidden=not is_opaque))
        for _ in range(place, end):
            next(places)
    return found


def _end_of(content: Content, place: int) -> int | None:
    """Where the pair ends that begins at a place; None where none does."""
    piece = content[place]
    if isinstance(piece, str) or piece.kind is not CodeKind.OPEN:
        return None
    return next(
        (
            later
            for later in range(place + 1, len(content))
            if isinstance(other := content[later], Code)
            and other.kind is CodeKind.CLOSE
            and other.number == piece.number
        ),
        None,
    )


def _is_mark(before: Content, pair: Content) -> bool:
    """Whether a pair is a mark written onto a word, as a note's number: no letters, and no space before it."""
    text = plain(pair)
    return bool(text.strip()) and not has_words(text) and bool(plain(before)) and not plain(before)[-1].isspace()


def _lines(items: Sequence[_Item]) -> Iterator[tuple[list[_Item], list[str | Code]]]:
    """The lines of a content, each with the break behind it."""
    line: list[_Item] = []
    for item in items:
        if isinstance(item, Code) and "\n" in item.equivalent:
            yield line, [item]
            line = []
        elif isinstance(item, str) and "\n" in item:
            *ended, rest = re.split(r"(\s*\n\s*)", item)
            for text, gap in zip(ended[::2], ended[1::2], strict=True):
                yield [*line, text], [gap]
                line = []
            line = [rest]
        else:
            line.append(item)
    yield line, []


def _framed_line(items: Sequence[_Item], protection: Protection) -> Framed:
    """A line's edges, and the unit between them."""
    before: list[_Item] = []
    after: list[_Item] = []
    left = [item for item in items if item != ""]
    while left:
        first, last = left[0], left[-1]
        if isinstance(first, str) and first != first.lstrip():
            space = first[: len(first) - len(first.lstrip())]
            before.append(space)
            left[:1] = [rest] if (rest := first[len(space) :]) else []
        elif isinstance(last, str) and last != last.rstrip():
            after.insert(0, last[len(last.rstrip()) :])
            left[-1:] = [rest] if (rest := last.rstrip()) else []
        elif _stands_alone(first, left):
            before.append(left.pop(0))
        elif _stands_alone(last, left):
            after.insert(0, left.pop())
        elif _is_pair(first, last):
            before.append(left.pop(0))
            after.insert(0, left.pop())
        else:
            break
    return [*_flat(before), *([_unit(left, protection)] if left else []), *_flat(after)]


def _flat(items: Sequence[_Item]) -> Iterator[str | Code]:
    for item in items:
        if isinstance(item, _Whole):
            yield from item.content
        else:
            yield item


def _is_pair(first: _Item, last: _Item) -> bool:
    return (
        isinstance(first, Code)
        and isinstance(last, Code)
        and first.kind is CodeKind.OPEN
        and last.kind is CodeKind.CLOSE
        and first.number == last.number
    )


def _stands_alone(item: _Item, line: Sequence[_Item]) -> bool:
    """Whether an item at a line's edge is a point there: one by itself, or half of a pair of several lines."""
    if isinstance(item, str):
        return False
    if isinstance(item, _Whole):
        return not item.text
    return item.kind is CodeKind.POINT or sum(isinstance(one, Code) and one.number == item.number for one in line) < 2


def _unit(items: Sequence[_Item], protection: Protection) -> Unit:
    text = ""
    codes: list[Placed] = []
    whole: list[Piece] = []
    for item in items:
        if isinstance(item, str):
            text += item
        elif isinstance(item, Code):
            codes.append(Placed(len(text), item.kind, item.number, (item,)))
            text += item.equivalent
        elif item.text:
            whole.append(Piece(len(text), len(text) + len(item.text), item.content))
            text += item.text
        else:
            codes.append(Placed(len(text), CodeKind.POINT, -1, item.content))
    spans = [
        (start, end)
        for start, end in protection.spans(text)
        if all(end <= piece.start or start >= piece.end for piece in whole)
        and not any(start < code.offset < end for code in codes)
    ]
    pieces = [*whole, *(Piece(start, end, (text[start:end],)) for start, end in spans)]
    return Unit(text, tuple(codes), tuple(sorted(pieces, key=lambda piece: piece.start)))
