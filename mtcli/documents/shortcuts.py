"""Keyboard shortcuts: the mark before a letter goes before translating, and comes back before a letter that suits."""

import re
import unicodedata
from dataclasses import dataclass

from mtcli.formats.documents.model import Content, joined

_IN_BRACKETS = re.compile(r"\s?\([&_](\w)\)")


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Hold a text's shortcut.

    Attributes:
        mark: `&` or `_`.
        letter: the one that it underlines.
        is_bracketed: whether it stands behind the text, as `(&F)`, which languages without Latin letters do.
    """

    mark: str
    letter: str
    is_bracketed: bool = False


def without_shortcut(content: Content, mark: str) -> tuple[Content, Shortcut | None]:
    """Take a text's mark out; None where it has not exactly one."""
    if not mark or sum(piece.count(mark) for piece in content if isinstance(piece, str)) != 1:
        return content, None
    place = next(place for place, piece in enumerate(content) if isinstance(piece, str) and mark in piece)
    text = content[place]
    assert isinstance(text, str)
    if (match := _IN_BRACKETS.search(text)) and match[0].strip()[1] == mark:
        plain = text[: match.start()] + text[match.end() :]
        shortcut = Shortcut(mark, match[1], is_bracketed=True)
    else:
        at = text.index(mark)
        letter = text[at + 1 : at + 2]
        if not letter.isalnum():
            return content, None
        plain, shortcut = text[:at] + text[at + 1 :], Shortcut(mark, letter)
    return joined([*content[:place], plain, *content[place + 1 :]]), shortcut


def with_shortcut(content: Content, shortcut: Shortcut) -> Content:
    """Put a mark into a text: before its letter, best at a word's beginning, else before the first letter.

    Texts without Latin letters get it behind them, in brackets with the letter it had.
    """
    place, at = _place(content, shortcut.letter)
    if place < 0 or (shortcut.letter.isascii() and not _is_latin(_letter(content, place, at))):
        last = max((place for place, piece in enumerate(content) if isinstance(piece, str)), default=-1)
        if last < 0:
            return content
        text = content[last]
        assert isinstance(text, str)
        core = text.rstrip(" .…:")
        mark = f"({shortcut.mark}{shortcut.letter.upper()})"
        return joined([*content[:last], core + mark + text[len(core) :], *content[last + 1 :]])
    text = content[place]
    assert isinstance(text, str)
    return joined([*content[:place], text[:at] + shortcut.mark + text[at:], *content[place + 1 :]])


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN")


def _letter(content: Content, place: int, at: int) -> str:
    piece = content[place]
    return piece[at] if isinstance(piece, str) else ""


def _place(content: Content, letter: str) -> tuple[int, int]:
    """Which string of a content, and which character of it, is to be underlined; -1 where there is none."""
    patterns = (rf"(?<!\w){re.escape(letter)}", re.escape(letter), r"(?<!\w)[^\W\d_]", r"\w")
    for pattern in patterns:
        for place, piece in enumerate(content):
            if isinstance(piece, str) and (match := re.search(pattern, piece, re.IGNORECASE)):
                return place, match.start()
    return -1, 0
