"""Messages in ICU's syntax, as `{count, plural, one {# file} other {# files}}`: what is translated of them.

That is the text in and between their branches; arguments, keywords and quoted parts are kept. The syntax is that of
ICU's MessageFormat (https://unicode-org.github.io/icu/userguide/format_parse/messages/).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

NUMBER, QUOTED = re.compile("#"), re.compile(r"'[{}#|][^']*'")
"""What a leaf must keep beside placeholders: where it is of a plural's branch, its number; what is quoted."""
_COMPLEX = re.compile(r"\{\s*[\w.-]+\s*,\s*(?:plural|select|selectordinal)\s*,")
_HEAD = re.compile(r"\{\s*[\w.-]+\s*,\s*(plural|select|selectordinal)\s*,\s*(?:offset\s*:\s*\d+\s*)?")
_SELECTOR = re.compile(r"\s*(?:=\d+|[\w-]+)\s*\{")


@dataclass(frozen=True, slots=True)
class Leaf:
    """Hold text of a message that is translated: `message[start:end]`.

    Attributes:
        start, end: its place.
        in_plural: whether `#` in it stands for a number.
    """

    start: int
    end: int
    in_plural: bool


def is_message(text: str) -> bool:
    """Whether a text has branches, so that it must be taken apart."""
    return bool(_COMPLEX.search(text))


def leaves(message: str) -> list[Leaf] | None:
    """Find the text of a message with branches, in order; None where it is not of the syntax."""
    found: list[Leaf] = []
    try:
        end = _text(message, 0, found, in_plural=False, depth=0)
    except _NotAMessageError:
        return None
    return found if end == len(message) else None


def filled(message: str, parts: Sequence[Leaf], texts: Sequence[str]) -> str:
    """Put texts in place of a message's leaves."""
    pieces, place = [], 0
    for leaf, text in zip(parts, texts, strict=True):
        pieces += [message[place : leaf.start], text]
        place = leaf.end
    return "".join([*pieces, message[place:]])


class _NotAMessageError(Exception):
    pass


def _text(message: str, place: int, found: list[Leaf], *, in_plural: bool, depth: int) -> int:
    """Read text up to the brace that ends it, or to the message's end; returns where that is."""
    start = place
    while place < len(message):
        character = message[place]
        if character == "'":
            place = _quoted(message, place)
        elif character == "}":
            if not depth:
                raise _NotAMessageError
            break
        elif character == "{":
            if head := _HEAD.match(message, place):
                _add(message, start, place, found, in_plural)
                place = start = _branches(message, head, found, depth)
            else:
                place = _argument(message, place)
        else:
            place += 1
    else:
        if depth:
            raise _NotAMessageError
    _add(message, start, place, found, in_plural)
    return place


def _add(message: str, start: int, end: int, found: list[Leaf], in_plural: bool) -> None:
    if message[start:end].strip():
        found.append(Leaf(start, end, in_plural))


def _quoted(message: str, place: int) -> int:
    """The place behind an apostrophe, or behind what it quotes."""
    after = message[place + 1 : place + 2]
    if after == "'":
        return place + 2
    if after not in ("{", "}", "#", "|"):
        return place + 1
    end = message.find("'", place + 1)
    return len(message) if end < 0 else end + 1


def _argument(message: str, place: int) -> int:
    """The place behind an argument without branches, such as `{name}` or `{at, date, short}`."""
    depth = 0
    while place < len(message):
        if message[place] == "'":
            place = _quoted(message, place)
            continue
        depth += {"{": 1, "}": -1}.get(message[place], 0)
        place += 1
        if not depth:
            return place
    raise _NotAMessageError


def _branches(message: str, head: re.Match[str], found: list[Leaf], depth: int) -> int:
    place = head.end()
    in_plural = head[1] != "select"
    count = 0
    while selector := _SELECTOR.match(message, place):
        place = _text(message, selector.end(), found, in_plural=in_plural, depth=depth + 1) + 1
        count += 1
    end = re.compile(r"\s*\}").match(message, place)
    if not end or not count:
        raise _NotAMessageError
    return end.end()
