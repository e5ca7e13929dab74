"""Lines of a width: how wide text is, and where it is broken."""

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

FIXED_SPACE = "\0"
"""Stands for a space at which a line is not to be broken, in text that is to be wrapped; no text has it."""
_CLOSING = frozenset("。、，．！？：；）」』】〉》”’…ー")
_WORDS = re.compile(r" +|[^ ]+")
_MOST_PIECES = 300  # of lines that are balanced: the work grows with their square


def width_of(text: str) -> int:
    """Columns that text takes: two for a wide character, as those of Chinese, Japanese and Korean are."""
    if text.isascii():
        return len(text)
    return sum(map(_width, text))


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def is_unspaced(character: str) -> bool:
    """Whether a character's script writes no spaces, so that a line may end beside it: Chinese, Japanese."""
    return unicodedata.east_asian_width(character) in "WF" and not "\uac00" <= character <= "\ud7af"


def wrap(text: str, width: int, first: int = 0, may_begin: Callable[[str], bool] = lambda word: True) -> list[str]:
    """Break text at spaces into lines of at most `width` columns, where its words allow that.

    Args:
        text: its spaces are single; `FIXED_SPACE` becomes a space.
        width: columns of a line.
        first: columns of the first line that are taken already.
        may_begin: whether a word may begin a line; else it stays on the line before.
    """
    lines: list[list[str]] = [[]]
    used = first
    for word in text.split(" "):
        columns = width_of(word)
        if lines[-1] and used + 1 + columns > width and may_begin(word):
            lines.append([])
            used = 0
        used += columns + bool(lines[-1])
        lines[-1].append(word)
    return [" ".join(line).replace(FIXED_SPACE, " ") for line in lines]


def unbroken(word: str) -> Iterator[str]:
    """A word; characters of an unspaced script each for itself, with what must not begin a line."""
    if not any(map(is_unspaced, word)):
        yield word
        return
    part = ""
    for character in word:
        if part and character not in _CLOSING and (is_unspaced(character) or is_unspaced(part[0])):
            yield part
            part = ""
        part += character
    yield part


def fill(text: str, width: int, first: int = 0, may_begin: Callable[[str], bool] = lambda word: True) -> list[str]:
    """Break text as `wrap` does, and between characters of unspaced scripts; spaces need not be single."""
    lines, used = [""], first
    for word in _WORDS.findall(text):
        for part in unbroken(word):
            columns = width_of(part)
            if lines[-1] and used + columns > width and not part.isspace() and may_begin(word):
                lines[-1] = lines[-1].rstrip(" ")
                lines.append("")
                used = 0
            if lines[-1] or not part.isspace():
                lines[-1] += part
                used += columns
    return lines


def balance(pieces: Sequence[str], widths: Sequence[int], count: int, width: int) -> list[str]:
    """Put pieces on lines as equal as can be: on as few as hold `width` columns each, at most on `count`.

    Args:
        pieces: what is not broken, each with the white space that follows it.
        widths: columns of each, without that white space.
        count: the most lines.
        width: columns that a line should have at most.
    """
    if len(pieces) > _MOST_PIECES:
        size = -(-len(pieces) // count)
        return ["".join(pieces[start : start + size]).strip() for start in range(0, len(pieces), size)]
    starts = [0]
    for piece, columns in zip(pieces, widths, strict=True):
        starts.append(starts[-1] + columns + width_of(piece) - width_of(piece.rstrip()))

    def columns_of(start: int, end: int) -> int:
        return starts[end - 1] - starts[start] + widths[end - 1] if end > start else 0

    for lines in range(1, max(1, min(count, len(pieces))) + 1):
        cuts = _cuts(len(pieces), lines, columns_of)
        if max(columns_of(start, end) for start, end in _spans(cuts)) <= width:
            break
    return ["".join(pieces[start:end]).strip() for start, end in _spans(cuts)]


def _spans(cuts: Sequence[int]) -> Iterator[tuple[int, int]]:
    return itertools.pairwise(cuts)


def _cuts(count: int, lines: int, columns_of: Callable[[int, int], int]) -> list[int]:
    """Where lines begin and end, so that the widest is as narrow as can be, and then their squares are least."""
    if lines == 1:
        return [0, count]
    if lines == 2:  # what nearly all are
        cut = min(range(1, count), key=lambda cut: (max(columns_of(0, cut), columns_of(cut, count)), cut))
        return [0, cut, count]
    best: list[tuple[int, int, list[int]]] = [(0, 0, [0])] + [(1 << 60, 0, [])] * count
    for line in range(lines):
        latest = [(1 << 60, 0, list[int]())] * (count + 1)
        for end in range(line + 1, count + 1):
            for start in range(line, end):
                if not best[start][2]:
                    continue
                columns = columns_of(start, end)
                widest, squares, cuts = best[start]
                candidate = (max(widest, columns), squares + columns * columns, [*cuts, end])
                if not latest[end][2] or candidate < latest[end]:
                    latest[end] = candidate
        best = latest
    return best[count][2]
