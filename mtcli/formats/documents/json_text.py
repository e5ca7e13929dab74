"""JSON as text: its strings with their places, and how a string is written in the file's way."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mtcli.formats.documents.source_text import SourceText

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_SPACE = re.compile(r"[ \t\r\n]*")
_OTHER = re.compile(r"[^,\]}\s]+")
_TOKEN = re.compile(rf"{_STRING.pattern}|[\[\]{{}}]|[,:\s]+|[^,:\[\]{{}}\s\"]+")
_LINE_ENDS = {"\u2028": "\\u2028", "\u2029": "\\u2029", "\x85": "\\u0085"}  # which some readers take for newlines


@dataclass(frozen=True, slots=True)
class Value:
    """Hold one value.

    Attributes:
        start, end: in the text.
        path: keys and indices that lead to it.
        name: the path as one text, once a file.
        text: of a string, what it says; None of any other value.
        is_open: of an object or array, whether this is its beginning; `end` is after its bracket.
    """

    start: int
    end: int
    path: tuple[str, ...]
    name: str
    text: str | None = None
    is_open: bool = False


@dataclass(slots=True)
class _Level:
    """Hold an object or array that is being read."""

    is_object: bool
    key: str = ""
    count: int = -1
    seen: dict[str, int] = field(default_factory=dict)

    def enter(self, key: str) -> None:
        self.seen[key] = self.seen.get(key, 0) + 1
        self.key = key if self.seen[key] == 1 else f"{key}#{self.seen[key]}"


def load(text: SourceText) -> Any:
    """What a file says.

    Raises:
        DataError: it is not JSON; names the line.
    """
    try:
        return json.loads(text.text)
    except json.JSONDecodeError as error:
        raise text.error(error.pos, f"this is not JSON: {error.msg}. Mend the file.") from None
    except RecursionError:
        raise text.error(0, "the file nests too deeply to be read as JSON.") from None


def values(text: str) -> Iterator[Value]:
    """Yield the strings, objects and arrays of a text that is JSON, each where it begins."""
    levels: list[_Level] = []
    place = 0
    while place < len(text):
        match = _SPACE.match(text, place)
        place = match.end() if match else place
        if place == len(text):
            return
        character = text[place]
        level = levels[-1] if levels else None
        if character in ",:":
            if character == "," and level is not None and not level.is_object:
                level.count += 1
                level.key = str(level.count)
            place += 1
        elif character in "]}":
            levels.pop()
            place += 1
        elif character == '"' and level is not None and level.is_object and _is_key(text, place):
            end = string_end(text, place)
            level.enter(json.loads(text[place:end], strict=False))
            place = end
        else:
            path = tuple(one.key for one in levels)
            if character in "[{":
                yield Value(place, place + 1, path, _name(path), is_open=True)
                levels.append(_Level(character == "{", key="0", count=0))
                place += 1
            elif character == '"':
                end = string_end(text, place)
                yield Value(place, end, path, _name(path), json.loads(text[place:end], strict=False))
                place = end
            else:
                other = _OTHER.match(text, place)
                place = other.end() if other else place + 1


def _is_key(text: str, place: int) -> bool:
    """Whether a string in an object is a key: it comes after a brace or a comma."""
    before = place - 1
    while text[before] in " \t\r\n":
        before -= 1
    return text[before] in "{,"


def string_end(text: str, place: int) -> int:
    """Where the string ends that begins at a place."""
    match = _STRING.match(text, place)
    assert match is not None
    return match.end()


def _name(path: tuple[str, ...]) -> str:
    """The path as a JSON Pointer has it."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path) or "/"


@dataclass(frozen=True, slots=True)
class Member:
    """Say where a member of an object is.

    Attributes:
        start: of its key.
        value, end: where its value begins and ends.
    """

    start: int
    value: int
    end: int


def members(text: str, place: int) -> dict[str, Member]:
    """The members of the object that begins at a place, by their keys; of two of one key the last."""
    found = {}
    place = _skip(text, place + 1, " \t\r\n")
    while text[place] != "}":
        key_end = string_end(text, place)
        value = _skip(text, key_end, " \t\r\n:")
        end = _value_end(text, value)
        found[json.loads(text[place:key_end], strict=False)] = Member(place, value, end)
        place = _skip(text, end, " \t\r\n,")
    return found


def _skip(text: str, place: int, characters: str) -> int:
    while text[place] in characters:
        place += 1
    return place


def _value_end(text: str, place: int) -> int:
    depth = 0
    while True:
        match = _TOKEN.match(text, place)
        assert match is not None
        place = match.end()
        depth += (match[0] in "[{") - (match[0] in "]}")
        if not depth and not match[0].isspace():
            return place


@dataclass(frozen=True)
class StringWriter:
    """Write strings as a file writes its own: whether letters beyond ASCII are escaped, and slashes.

    Attributes:
        escapes_letters, escapes_slashes: as the names say.
    """

    escapes_letters: bool
    escapes_slashes: bool

    @classmethod
    def of(cls, text: str) -> "StringWriter":
        """Find a file's way."""
        return cls(text.isascii() and "\\u" in text, "\\/" in text)

    def __call__(self, value: str) -> str:
        """Write a string, with its quotes."""
        written = json.dumps(value, ensure_ascii=self.escapes_letters)
        for character, escape in _LINE_ENDS.items():
            written = written.replace(character, escape)
        return written.replace("/", "\\/") if self.escapes_slashes else written
