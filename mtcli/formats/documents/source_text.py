"""What formats of text share: a file's text with its encoding, and slots in it where translations are put.

A format says where its slots are. What is outside those that change keeps its bytes.
"""

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mtcli.errors import DataError, UsageError
from mtcli.files import display_name, file_error
from mtcli.files.contents import advice, document_of, unmarked_encoding
from mtcli.files.decompression import NAMES, compression_of
from mtcli.formats.documents.model import Content, Filled, ReadOptions, Segment, plain

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16's, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}  # theirs would add a mark each time
_EXACT = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "iso8859-1", "ascii")
_SURROGATE = re.compile("[\ud800-\udfff]")
_HEAD = 1 << 16


@dataclass(frozen=True, slots=True)
class SourceText:
    """Hold a file's text and what is needed to write it again.

    Attributes:
        path: the file.
        text: all of it, but its byte order mark; the ends of lines are as they are.
        encoding: its codec's name.
        mark: its byte order mark; empty where it has none.
    """

    path: Path
    text: str
    encoding: str = "utf-8"
    mark: bytes = b""

    @property
    def newline(self) -> str:
        """How its first line ends."""
        end = self.text.find("\n")
        return "\r\n" if end > 0 and self.text[end - 1] == "\r" else "\n"

    def line(self, place: int) -> int:
        """Number of the line, from 1, that the character at `place` is in."""
        return self.text.count("\n", 0, place) + 1

    def error(self, place: int, message: str) -> DataError:
        """The error for what is wrong at a place."""
        return DataError(f"{display_name(self.path)}:{self.line(place)}: {message}")


@dataclass(frozen=True, slots=True)
class Slot:
    """Say where a segment is in a text, and how its translation is written there.

    Attributes:
        start, end: what is replaced: `text[start:end]`.
        segments: one, several that are written together, or none: then it is written wherever anything else is,
            as is the name of the file's language.
        encode: from the new contents, None for each segment that stays, to what replaces the text.
    """

    start: int
    end: int
    segments: tuple[Segment, ...]
    encode: Callable[[Sequence[Content | None]], str]


def text_slot(start: int, end: int, segment: Segment, encode: Callable[[str], str]) -> Slot:
    """A slot of one segment without codes."""
    return Slot(start, end, (segment,), lambda contents: encode(plain(contents[0] or ())))


def edit(start: int, end: int, text: str) -> Slot:
    """What is written wherever anything else is."""
    return Slot(start, end, (), lambda contents: text)


def edges(text: str) -> tuple[str, str, str]:
    """White space before, what is between, white space after."""
    core = text.strip()
    start = text.find(core)
    return text[:start], core, text[start + len(core) :]


def is_text(text: str) -> bool:
    """Whether text has anything to translate and can be written: no halves of surrogate pairs."""
    return bool(text.strip()) and (text.isascii() or not _SURROGATE.search(text))


@dataclass(frozen=True, kw_only=True)
class TextFormat:
    """Read and write a format of text by its slots: a `DocumentFormat`.

    Attributes:
        name, title: as in `DocumentFormat`.
        slots: yields a text's slots in their order, edits anywhere.
        declared: from a file's first bytes to the encoding that they name, if any.
        fallback: the encoding of files that are not UTF-8 and say nothing.
        redeclared: rewrites an output that has become UTF-8, as the old encoding lacks its characters.
    """

    name: str
    title: str
    slots: Callable[[SourceText, ReadOptions], Iterator[Slot]]
    declared: Callable[[bytes], str | None] = lambda head: None
    fallback: str = ""
    redeclared: Callable[[str], str] = lambda text: text

    def read(self, source: Path, options: ReadOptions) -> Iterator[Segment]:
        """Yield the segments; see `DocumentFormat.read`."""
        for slot in self.slots(self._text(source, options), options):
            yield from slot.segments

    def write(self, source: Path, filled: Iterator[Filled], output: BinaryIO, options: ReadOptions) -> None:
        """Write the file with translations in it; see `DocumentFormat.write`."""
        text = self._text(source, options)
        changes = _changes(text, self.slots(text, options), filled)
        if not changes:
            output.write(text.mark + text.text.encode(text.encoding))
            return
        written = _spliced(text.text, changes)
        try:
            output.write(text.mark + written.encode(text.encoding))
        except UnicodeEncodeError:
            output.write(self.redeclared(written).encode())

    def _text(self, source: Path, options: ReadOptions) -> SourceText:
        return read_text(source, options, self.declared, self.fallback)


def read_text(
    path: Path,
    options: ReadOptions,
    declared: Callable[[bytes], str | None] = lambda head: None,
    fallback: str = "",
) -> SourceText:
    """Read a file as text: by its byte order mark, else as `options` or the file itself say, else as UTF-8.

    Raises:
        DataError: the file cannot be read, is no text, or is not of its encoding; names the line.
        UsageError: there is no such encoding as `options` say.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise file_error(path, error, "read") from error
    head = data[:_HEAD]
    _refuse(path, head)
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", ""))
    encoding = encoding or _codec(path, options, declared(head) or unmarked_encoding(head))
    text = SourceText(path, _decoded(path, data[len(mark) :], encoding or "utf-8", "" if encoding else fallback))
    encoding = encoding or _fitting(text.text, data, fallback)
    if (zero := text.text.find("\0")) >= 0:
        raise text.error(zero, "holds a zero byte; text was expected. Check what kind of file it is.")
    if encoding not in _EXACT and text.text.encode(encoding, "replace") != data:
        raise DataError(
            f"{display_name(path)} cannot be written back in {encoding} byte by byte. Convert it first: "
            f"iconv -f {encoding} -t UTF-8."
        )
    return SourceText(path, text.text, encoding, mark)


def _refuse(path: Path, head: bytes) -> None:
    if suffix := compression_of(head):
        raise DataError(f"{display_name(path)} is compressed ({NAMES[suffix]}). Decompress it first.")
    if what := document_of(head, path):
        raise DataError(f"{display_name(path)} is {what}; text was expected. Save or extract its text as UTF-8 first.")


def _codec(path: Path, options: ReadOptions, declared: str | None) -> str:
    """The codec that the options or the file name; empty where they say nothing."""
    name = options.encoding or declared or ""
    if not name:
        return ""
    try:
        b"a".decode(name, "replace")  # which refuses what is no encoding of text
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        if options.encoding:
            raise UsageError(f"There is no encoding {name}. Names are such as utf-8, latin-1, shift_jis.") from None
        raise DataError(
            f"{display_name(path)} says that its encoding is {name}, which is not known. Convert it to UTF-8 first."
        ) from None
    return _UNMARKED.get(codec, codec)


def _decoded(path: Path, data: bytes, encoding: str, fallback: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if fallback:
            return data.decode(fallback)
        number = data.count(b"\n", 0, error.start) + 1
        line_start = data.rfind(b"\n", 0, error.start) + 1
        line = data[line_start:].split(b"\n", 1)[0]
        name = "UTF-8" if encoding == "utf-8" else encoding
        hint = advice(line) if name == "UTF-8" else "Copy the file again, or give its encoding."
        raise DataError(
            f"{display_name(path)}:{number}: byte {error.start - line_start + 1} of the line "
            f"(0x{data[error.start]:02x}) is not valid {name}. {hint}"
        ) from None


def _fitting(text: str, data: bytes, fallback: str) -> str:
    """What a file was read in that says nothing."""
    return "utf-8" if not fallback or text.encode("utf-8", "replace") == data else codecs.lookup(fallback).name


def _changes(text: SourceText, slots: Iterator[Slot], filled: Iterator[Filled]) -> list[tuple[int, int, str]]:
    """What is replaced by what, in the text's order; empty where nothing is."""
    changes, edits = [], []
    for slot in slots:
        if not slot.segments:
            edits.append(slot)
            continue
        contents = [_change(text, segment, next(filled, None)) for segment in slot.segments]
        if any(content is not None for content in contents):
            changes.append((slot.start, slot.end, slot.encode(contents)))
    if (extra := next(filled, None)) is not None:
        raise _not_its_own(text, extra.id)
    if changes:
        changes += [(slot.start, slot.end, slot.encode(())) for slot in edits]
    return sorted(changes, key=lambda change: change[:2])


def _change(text: SourceText, segment: Segment, filled: Filled | None) -> Content | None:
    """A segment's new content; None where it stays."""
    if filled is None or filled.id != segment.id:
        raise _not_its_own(text, segment.id)
    is_new = segment.translate and filled.content is not None and filled.content != segment.content
    return filled.content if is_new else None


def _not_its_own(text: SourceText, name: str) -> DataError:
    return DataError(
        f"The translations are not those of {display_name(text.path)}: they differ at segment {name}. "
        "Translate the file again."
    )


def _spliced(text: str, changes: Sequence[tuple[int, int, str]]) -> str:
    pieces, place = [], 0
    for start, end, new in changes:
        assert place <= start <= end, (place, start, end)
        pieces += [text[place:start], new]
        place = end
    return "".join([*pieces, text[place:]])
