"""Apple's strings (.strings): `"key" = "value";`, in UTF-8 or UTF-16."""

import re
from collections.abc import Iterator

from mtcli.formats.documents.model import ReadOptions, Segment
from mtcli.formats.documents.source_text import Slot, SourceText, TextFormat, edges, is_text, text_slot

_COMMENT = re.compile(r"/\*(.*?)\*/|//([^\r\n]*)", re.DOTALL)
_SPACE = re.compile(r"\s*")
_TEXT = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_BETWEEN = r"(?>\s+|/\*.*?\*/)*+"
_ENTRY = re.compile(rf"({_TEXT}|[\w.$-]+){_BETWEEN}(?:={_BETWEEN}({_TEXT}|[\w.$/-]+){_BETWEEN})?;", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:[Uu]([0-9a-fA-F]{4})|([0-7]{1,3})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_TO_ESCAPE = re.compile(r'[\\"\x00-\x1f]')


def _slots(text: SourceText, options: ReadOptions) -> Iterator[Slot]:
    seen: dict[str, int] = {}
    comment = ""
    place = _after_space(text.text, 0)
    while place < len(text.text):
        if match := _COMMENT.match(text.text, place):
            comment = (match[1] or match[2] or "").strip()
        elif match := _ENTRY.match(text.text, place):
            if match[2] is not None:
                yield from _entry(text, match, comment, seen)
            comment = ""
        else:
            raise text.error(place, 'no entry begins here. Expected such as: "key" = "value";')
        place = _after_space(text.text, match.end())


def _after_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _entry(text: SourceText, match: re.Match[str], comment: str, seen: dict[str, int]) -> Iterator[Slot]:
    key = _value(match[1])
    seen[key] = seen.get(key, 0) + 1
    value = _value(match[2])
    if not is_text(value):
        return
    before, core, after = edges(value)
    name = key if seen[key] == 1 else f"{key}#{seen[key]}"
    segment = Segment(id=name, content=(core,), context=comment)
    yield text_slot(match.start(2), match.end(2), segment, lambda new: _quoted(before + new + after))


def _value(raw: str) -> str:
    """What a string says; one without quotes says itself."""
    if not raw.startswith('"') or "\\" not in raw:
        return raw.strip('"') if raw.startswith('"') else raw

    def decoded(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        return chr(int(match[2], 8)) if match[2] else _LETTERS.get(match[3], match[3])

    found = _ESCAPE.sub(decoded, raw[1:-1])
    return found.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _quoted(value: str) -> str:
    return '"' + _TO_ESCAPE.sub(lambda match: _ESCAPES.get(match[0]) or f"\\U{ord(match[0]):04x}", value) + '"'


FORMAT = TextFormat(name="strings", title="Apple strings", slots=_slots)
