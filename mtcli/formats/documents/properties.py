"""Java's properties (.properties), in UTF-8 or in ISO-8859-1 with escapes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mtcli.formats.documents.model import ReadOptions, Segment
from mtcli.formats.documents.source_text import Slot, SourceText, TextFormat, edges, is_text, text_slot

# A line with those that continue it: an odd number of backslashes ends all but the last.
_LOGICAL = re.compile(r"(?:[^\\\r\n]+|\\(?:\r\n|[^\r]|\r))*")
_LINE = re.compile(r"[^\r\n]*")
_LINE_END = re.compile(r"\\?(?:\r\n|\n|\r)?")  # after a backslash that ends the file
_BLANK = re.compile(r"[ \t\f]*")
_KEY = re.compile(r"(?:[^\\\s=:]|\\(?:\r\n|.))*", re.DOTALL)
_SEPARATOR = re.compile(r"(?:[ \t\f]|\\(?:\r\n|\n|\r)[ \t\f]*)*(?:[=:])?(?:[ \t\f]|\\(?:\r\n|\n|\r)[ \t\f]*)*")
_ESCAPE = re.compile(r"\\(?:(?:\r\n|\n|\r)[ \t\f]*|u+([0-9a-fA-F]{4})|(u)|(.))", re.DOTALL)
_LETTERS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\f": "\\f"}
_TO_ESCAPE = re.compile(r"[\\\t\n\r\f]")


def _slots(text: SourceText, options: ReadOptions) -> Iterator[Slot]:
    most = 0x10FFFF if text.encoding != "iso8859-1" and not text.text.isascii() else 0x7E
    most = 0xFF if text.encoding == "iso8859-1" else most
    seen: dict[str, int] = {}
    comments: list[str] = []
    place = 0
    while place < len(text.text):
        start = _end(_BLANK, text.text, place)
        if text.text[start : start + 1] in ("#", "!", "\r", "\n", ""):
            end = _end(_LINE, text.text, start)
            comments = [*comments, text.text[start + 1 : end].strip()] if end > start else []
            place = _end(_LINE_END, text.text, end)
            continue
        end = _end(_LOGICAL, text.text, start)
        key_end = _end(_KEY, text.text, start, end)
        value_start = _end(_SEPARATOR, text.text, key_end, end)
        key = _unescaped(text, start, key_end)
        seen[key] = seen.get(key, 0) + 1
        value = _unescaped(text, value_start, end)
        if is_text(value):
            name = key if seen[key] == 1 else f"{key}#{seen[key]}"
            before, core, after = edges(value)
            segment = Segment(id=name, content=(core,), context="\n".join(comments))
            yield text_slot(value_start, end, segment, _Writer(before, after, most))
        comments = []
        place = _end(_LINE_END, text.text, end)


def _end(pattern: re.Pattern[str], text: str, start: int, end: int | None = None) -> int:
    match = pattern.match(text, start, len(text) if end is None else end)
    return match.end() if match else start


def _unescaped(text: SourceText, start: int, end: int) -> str:
    raw = text.text[start:end]
    if "\\" not in raw:
        return raw

    def decoded(match: re.Match[str]) -> str:
        if match[2]:
            raise text.error(start + match.start(), r"\u lacks its four digits. Expected such as: \u00e9.")
        if match[1]:
            return chr(int(match[1], 16))
        return _LETTERS.get(match[3], match[3]) if match[3] else ""

    found = _ESCAPE.sub(decoded, raw)
    # Pairs of escaped halves are one character.
    return found.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


@dataclass(frozen=True, slots=True)
class _Writer:
    """Write a value between the white space that was around it."""

    before: str
    after: str
    most: int

    def __call__(self, value: str) -> str:
        return _escaped(self.before + value + self.after, self.most)


def _escaped(value: str, most: int) -> str:
    """A value as the file writes it: letters above `most` as escapes, white space at its beginning kept."""
    written = _TO_ESCAPE.sub(lambda match: _ESCAPES[match[0]], value)
    if written.startswith((" ", "=", ":")):  # which would belong to what is before the value
        written = f"\\{written}"
    return "".join(one if one >= " " and ord(one) <= most else _units(one) for one in written)


def _units(character: str) -> str:
    data = character.encode("utf-16-be")
    return "".join(f"\\u{data[place]:02x}{data[place + 1]:02x}" for place in range(0, len(data), 2))


FORMAT = TextFormat(name="properties", title="Java properties", slots=_slots, fallback="iso8859-1")
