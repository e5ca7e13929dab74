"""What a file holds, by what it begins with: an encoding, a document that is no text, text that has a structure."""

import re
import unicodedata
from collections import Counter
from pathlib import Path

_BYTE_ORDER_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),  # before UTF-16's, with which it begins
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_DOCUMENTS = (
    (rb"%PDF-\d", "a PDF document"),
    (rb"\{\\rtf\d", "an RTF document"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Microsoft Office document (.doc, .xls or .ppt)"),
    (rb"\x89PNG\r\n\x1a\n", "a PNG image"),
    (rb"\xff\xd8\xff", "a JPEG image"),
    (rb"GIF8[79]a", "a GIF image"),
    (rb"II\*\x00|MM\x00\*", "a TIFF image"),
    (rb"RIFF....WEBP", "a WebP image"),
    (rb"RIFF....WAVE", "a WAV recording"),
    (rb"ID3[\x02-\x04]\x00", "an MP3 recording"),
    (rb"OggS\x00", "an Ogg recording"),
    (rb"fLaC\x00", "a FLAC recording"),
    (rb"\x00\x00..ftyp", "an MP4 recording"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (rb"Rar!\x1a\x07", "a RAR archive"),
    (rb".{257}ustar[\x00 ]", "a tar archive"),
    (rb"SQLite format 3\x00", "an SQLite database"),
    (rb"PAR1[\x00-\x1f\x80-\xff]", "a Parquet table"),
    (rb"\x93NUMPY", "a NumPy array"),
    (rb"\x7fELF", "a program"),
)
# What is in a ZIP archive tells what it is, and its name where that comes late.
_IN_ARCHIVES = (
    (b"word/", "a Word document (.docx)"),
    (b"xl/", "an Excel workbook (.xlsx)"),
    (b"ppt/", "a PowerPoint presentation (.pptx)"),
    (b"mimetypeapplication/vnd.oasis.opendocument", "an OpenDocument file (.odt, .ods or .odp)"),
    (b"mimetypeapplication/epub", "an EPUB book"),
)
_OFFICE = {
    ".docx": _IN_ARCHIVES[0][1],
    ".xlsx": _IN_ARCHIVES[1][1],
    ".pptx": _IN_ARCHIVES[2][1],
}
_DOCUMENT = tuple((re.compile(beginning, re.DOTALL), name) for beginning, name in _DOCUMENTS)
_BEGINS_MARKUP = re.compile(r"\A\s*<[?!a-zA-Z]")
_MARKUP = (
    (re.compile(r"<tmx\b|<!DOCTYPE\s+tmx\b"), "a translation memory (TMX)"),
    (re.compile(r"<xliff\b"), "XLIFF"),
    (re.compile(r"<(?:srcset|refset|tstset)\b|<!DOCTYPE\s+mteval\b"), "a test set in SGML"),
    (re.compile(r"<html\b|<!DOCTYPE\s+html\b", re.I), "HTML"),
    (re.compile(r"\A\s*<\?xml\b"), "XML"),
)
_BLOCKS = (
    (re.compile(r"\A\s*\d+\r?\n\d+:\d\d:\d\d[,.]\d+ --> "), "subtitles (SubRip)"),
    (re.compile(r"\A\s*WEBVTT\b"), "subtitles (WebVTT)"),
    (re.compile(r'^msgid "(?:[^"\\]|\\.)*"\s*\n(?:"(?:[^"\\]|\\.)*"\s*\n)*msgstr', re.M), "a gettext catalogue (PO)"),
)
_STRUCTURE_LENGTH = 4096  # bytes in which it shows
_WESTERN_MARKS = "‘’‚“”„«»‹›–—…•·°§€£©®™¿¡´¨ªº½¼¾²³±×\xa0\xad"
_MACINTOSH = 2  # carriage returns, and lines with text; a single one may stand inside a line


def byte_order(head: bytes) -> str | None:
    """Name the encoding, UTF-16 or UTF-32, that a byte order mark tells; None where there is no such mark."""
    return next((encoding for mark, encoding in _BYTE_ORDER_MARKS if head.startswith(mark)), None)


def unmarked_encoding(head: bytes) -> str | None:
    """Name the encoding, of 16 or 32 bits a character, of text without a byte order mark; None where it is another.

    Such text has a zero byte in most characters or all spaces, in the same place of each; other text has hardly any.
    """
    if not head.count(0):
        return None
    if len(head) >= 8:
        for name, places in (("UTF-32LE", (2, 3)), ("UTF-32BE", (0, 1))):
            if not any(any(head[place::4]) for place in places) and _is_text(head, name, 4):
                return name
    for name, place in (("UTF-16LE", 1), ("UTF-16BE", 0)):
        column = head[place::2]
        if column.count(0) == head.count(0) and _is_high_byte(column) and _is_text(head, name, 2):
            return name
    return None


def _is_high_byte(column: bytes) -> bool:
    """Whether every second byte says the block of a character: 0 for most, or one block's but for spaces and marks."""
    counts = Counter(column)
    zeros = counts.pop(0)
    most = max(counts.values(), default=0)
    return len(column) >= 3 and (zeros * 2 >= len(column) or (zeros >= 8 and (zeros + most) * 10 >= 9 * len(column)))


def _is_text(head: bytes, encoding: str, width: int) -> bool:
    """Whether bytes decode to text with letters or digits, and without characters that no text has."""
    try:
        text = head[: len(head) // width * width].decode(encoding)
    except UnicodeDecodeError:
        return False
    if sum(map(str.isalnum, text)) < 2:
        return False
    return not any(unicodedata.category(character) in ("Cc", "Cn", "Co") for character in set(text) - set("\t\n\f\r"))


def document_of(head: bytes, path: Path) -> str | None:
    """Name the kind of document, image or archive that bytes begin, with an article; None where they may be text."""
    if head.startswith(b"PK\x03\x04"):
        inside = next((name for entry, name in _IN_ARCHIVES if entry in head), None)
        return inside or _OFFICE.get(path.suffix.lower(), "a ZIP archive")
    return next((name for beginning, name in _DOCUMENT if beginning.match(head)), None)


def has_macintosh_ends(head: bytes) -> bool:
    """Whether lines end by a carriage return alone, as those of Mac OS before X did."""
    lines = head.split(b"\r")
    return b"\n" not in head and len(lines) > _MACINTOSH and sum(bool(line.strip()) for line in lines) >= _MACINTOSH


def structure_of(head: bytes) -> str | None:
    """Name the structure that text has besides its lines, such as markup, by its beginning; None where it has none."""
    text = head[:_STRUCTURE_LENGTH].decode("utf-8", "replace").removeprefix("\ufeff")
    kinds = _MARKUP if _BEGINS_MARKUP.match(text) else _BLOCKS
    return next((name for pattern, name in kinds if pattern.search(text)), None)


def looks_binary(line: bytes) -> bool:
    """Whether bytes hold control characters that no text has."""
    return any(byte < 32 and byte not in b"\t\n\v\f\r\x1b" for byte in line)


def advice(line: bytes) -> str:
    """Say what to do with a line that is not UTF-8: which encoding it may be, as far as its bytes tell."""
    if looks_binary(line):
        return "It holds control characters as well, so this may be no text at all. Check what kind of file it is."
    if _is_western(line):
        return "Convert the file first, for example with: iconv -f WINDOWS-1252 -t UTF-8."
    return (
        "Convert the file from its own encoding first (such as SHIFT_JIS, EUC-KR, GB18030, BIG5 or KOI8-R): "
        "iconv -f ENCODING -t UTF-8."
    )


def _is_western(line: bytes) -> bool:
    """Whether a line reads as WINDOWS-1252: its special characters are letters or marks, and most are not."""
    try:
        text = line.decode("cp1252")
    except UnicodeDecodeError:
        return False
    special = [character for character in text if character > "\x7f"]
    letters = sum(character.isalpha() for character in text)
    known = all(character.isalpha() or character in _WESTERN_MARKS for character in special)
    return known and len(special) * 2 <= max(letters, 2)
