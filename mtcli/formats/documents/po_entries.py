"""The entries of a gettext catalogue, with their places in its text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mtcli.formats.documents.source_text import SourceText

_KEYWORD = re.compile(
    r"[ \t]*(msgctxt|msgid_plural|msgid|msgstr(?:[ \t]*\[[ \t]*(\d{1,3})[ \t]*\])?)[ \t]*(?=[\"\r\n]|$)"
)
_STRINGS = re.compile(r'[ \t]*(?:"(?:[^"\\\r\n]|\\[^\r\n])*"[ \t]*)+\r?$')
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"((?:\\(?:[0-7]{1,3}|x[0-9a-fA-F]{1,2}))+)|\\(.)")
_BYTE = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3}))")
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPES = {"\\": "\\\\", '"': '\\"', **{value: f"\\{letter}" for letter, value in _LETTERS.items()}}
_TO_ESCAPE = re.compile(r'[\\"\n\t\r\a\b\f\v]')
_EXPECTED = 'Expected a comment, a keyword such as msgid, or a string in quotes, as in: msgid "Open"'


@dataclass(slots=True)
class Field:
    """Hold one keyword of an entry.

    Attributes:
        start, end: of its text, from the keyword to its last quote.
        value: its strings, joined and unescaped.
    """

    start: int
    end: int
    value: str = ""


@dataclass(slots=True)
class Entry:
    """Hold one entry.

    Attributes:
        start: of its first line.
        message: of its first line after the comments on what it is: of `#|`, `msgctxt` or `msgid`.
        comments: its comments that a developer wrote for translators (`#.`), joined.
        flags: such as `fuzzy` and `c-format`.
        flag_place: where its first flag is written, after `#,`; None where it has none.
        context, source, plural: `msgctxt`, `msgid`, `msgid_plural`; None where there is none.
        targets: `msgstr`, or `msgstr[n]` by n.
    """

    start: int
    message: int
    comments: str = ""
    flags: frozenset[str] = frozenset()
    flag_place: int | None = None
    context: Field | None = None
    source: Field | None = None
    plural: Field | None = None
    targets: dict[int, Field] = field(default_factory=dict)


def entries(text: SourceText) -> Iterator[Entry]:
    """Yield the entries that are not obsolete.

    Raises:
        DataError: a line is not of a catalogue, or an entry is not whole; names the line.
    """
    entry: Entry | None = None
    last: Field | None = None
    place = 0
    for line in _lines(text.text):
        start, place = place, place + len(line)
        content = line.rstrip("\r\n").strip(" \t")
        if not content:
            continue
        if content.startswith("#"):
            if entry is not None and entry.source is not None:
                yield _whole(text, entry)
                entry = None
            last = None
            if content.startswith("#~"):
                entry = None
                continue
            entry = entry or Entry(start, start)
            _read_comment(entry, content, start + line.index("#") + 2)
            if not content.startswith("#|"):
                entry.message = place
            continue
        if keyword := _KEYWORD.match(line):
            name = keyword[1]
            if entry is None or (entry.source is not None and (name == "msgctxt" or name == "msgid")):
                if entry is not None:
                    yield _whole(text, entry)
                entry = Entry(start, start)
            last = Field(start + keyword.start(1), start + keyword.end(1))
            _place(text, entry, name, keyword[2], last)
            strings, begin = line[keyword.end() :], start + keyword.end()
            if not strings.strip():
                continue
        else:
            strings, begin = line, start
        if last is None or not _STRINGS.match(strings.rstrip("\n")):
            raise text.error(start, f"this is no part of a gettext catalogue. {_EXPECTED}.")
        last.value += "".join(unescape(piece, text.encoding) for piece in _STRING.findall(strings))
        last.end = begin + strings.rindex('"') + 1
    if entry is not None and entry.source is not None:
        yield _whole(text, entry)
    elif entry is not None and (entry.context is not None or entry.targets):
        raise text.error(entry.start, "this entry has no msgid. The file may be cut short; copy it again.")


def _lines(text: str) -> Iterator[str]:
    """Lines with their ends, which are line feeds alone."""
    place = 0
    while place < len(text):
        end = text.find("\n", place) + 1 or len(text)
        yield text[place:end]
        place = end


def _read_comment(entry: Entry, content: str, after: int) -> None:
    if content.startswith("#,"):
        entry.flags |= {flag.strip() for flag in content[2:].split(",")} - {""}
        if entry.flag_place is None:
            entry.flag_place = after
    elif content.startswith("#."):
        entry.comments = f"{entry.comments}\n{content[2:].strip()}".strip()


def _place(text: SourceText, entry: Entry, name: str, index: str | None, found: Field) -> None:
    """Put a field into its entry; each is there once, `msgstr` last."""
    if name == "msgctxt" and entry.context is None and entry.source is None:
        entry.context = found
    elif name == "msgid" and entry.source is None:
        entry.source = found
    elif name == "msgid_plural" and entry.source is not None and entry.plural is None and not entry.targets:
        entry.plural = found
    elif (
        name.startswith("msgstr")
        and entry.source is not None
        and int(index or 0) not in entry.targets
        and (index is not None) == (entry.plural is not None)
    ):
        entry.targets[int(index or 0)] = found
    else:
        raise text.error(
            found.start, f"{name} does not belong here. An entry is msgctxt (if any), msgid, msgid_plural, msgstr."
        )


def _whole(text: SourceText, entry: Entry) -> Entry:
    if not entry.targets:
        raise text.error(entry.start, "this entry has no msgstr. The file may be cut short; copy it again.")
    return entry


def unescape(text: str, encoding: str) -> str:
    """What a string in quotes means; numbers are bytes of the file's encoding."""

    def decoded(match: re.Match[str]) -> str:
        if match[2]:
            return _LETTERS.get(match[2], match[2])
        numbers = (int(digits, 16) if digits else int(octal, 8) for digits, octal in _BYTE.findall(match[1]))
        return bytes(number & 255 for number in numbers).decode(encoding, "replace")

    return _ESCAPE.sub(decoded, text) if "\\" in text else text


def escape(text: str) -> str:
    """Write text as it stands between quotes."""
    return _TO_ESCAPE.sub(lambda match: _ESCAPES[match[0]], text)
