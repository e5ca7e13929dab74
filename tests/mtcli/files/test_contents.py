"""What files hold, told by what they begin with: encodings, documents, line ends, structures."""

import io
import os
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from mtcli.errors import DataError
from mtcli.files import read_lines, size_as_read
from mtcli.files.contents import structure_of

TEXT = "Hello, world.\r\nGrüße, 나는\u2028da.\n😀\n"
LINES = ["Hello, world.", "Grüße, 나는\u2028da.", "😀"]
MARKED = {
    "UTF-16LE": b"\xff\xfe",
    "UTF-16BE": b"\xfe\xff",
    "UTF-32LE": b"\xff\xfe\x00\x00",
    "UTF-32BE": b"\x00\x00\xfe\xff",
}
encodings = pytest.mark.parametrize("encoding", MARKED)


@encodings
def test_a_byte_order_mark_says_the_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "text"
    path.write_bytes(MARKED[encoding] + (TEXT * 20_000).encode(encoding))
    assert list(read_lines(path)) == LINES * 20_000


@encodings
def test_a_stream_in_pieces_is_read_as_a_file_is(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = MARKED[encoding] + TEXT.encode(encoding)
    reading, writing = os.pipe()

    def write() -> None:
        for place in range(len(data)):
            os.write(writing, data[place : place + 1])
        os.close(writing)

    thread = threading.Thread(target=write)
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        thread.start()
        assert list(read_lines(Path("-"))) == LINES
    thread.join()


@encodings
def test_a_damaged_encoding_is_named(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "text"
    path.write_bytes(MARKED[encoding] + "one\ntwo".encode(encoding)[:-1])
    with pytest.raises(DataError, match=rf"{path} begins as UTF-(16|32) and is damaged at byte \d+: truncated"):
        list(read_lines(path))


@encodings
@pytest.mark.parametrize("text", ["Hi\nyou", "Hello, world.\n", "Grüße aus Köln.\n" * 3, "Это мой дом, и я тут. " * 9])
def test_text_in_wide_characters_without_a_mark_is_recognised(tmp_path: Path, encoding: str, text: str) -> None:
    path = tmp_path / "text"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(DataError, match=rf"{path} is text in {encoding} without a byte order mark.*-f {encoding} "):
        list(read_lines(path))


@pytest.mark.parametrize(
    "content",
    [b"a\x00b\n", b"\x00" * 64, b"one\x00two\x00three\x00four\n", "나는\x00\n".encode(), b"\x00\x00a\n", b"a\n\x00\n"],
)
def test_zero_bytes_alone_are_no_encoding(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text"
    path.write_bytes(content)
    assert list(read_lines(path)) == content.decode().removesuffix("\n").split("\n")


def archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name in names:
            made.writestr(name, "application/vnd.oasis.opendocument.text" if name == "mimetype" else "<a/>")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (archive("[Content_Types].xml", "word/document.xml"), "a Word document"),
        (archive("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook"),
        (archive("mimetype"), "an OpenDocument file"),
        (archive("text.txt"), "a ZIP archive"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document"),
        (b"{\\rtf1\\ansi Hello}\n", "an RTF document"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504), "an old Microsoft Office document"),
        (b"\x89PNG\r\n\x1a\n" + bytes(9), "a PNG image"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "a JPEG image"),
        (b"text.txt" + bytes(249) + b"ustar\x0000", "a tar archive"),
    ],
)
def test_a_document_is_named(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"{path} is {what}.*; text was expected"):
        list(read_lines(path))


@pytest.mark.parametrize("content", [b"one\rtwo\r", b"one\rtwo\rthree", b"\rone\r\rtwo"])
def test_macintosh_line_ends_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"{path} ends its lines as old Macintosh files do"):
        list(read_lines(path))


@pytest.mark.parametrize("content", [b"one\rtwo", b"one\r", b"one\rtwo\rthree\n", b"one\r\r"])
def test_a_carriage_return_may_be_in_a_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text"
    path.write_bytes(content)
    assert list(read_lines(path)) == [content.decode().removesuffix("\n").removesuffix("\r")]


@pytest.mark.parametrize(
    ("line", "advice", "never"),
    [
        ("Das ist schön.".encode("cp1252"), "iconv -f WINDOWS-1252", "SHIFT_JIS"),
        ("It’s “fine” – really".encode("cp1252"), "iconv -f WINDOWS-1252", "SHIFT_JIS"),
        ("これは本です。".encode("shift_jis"), "SHIFT_JIS", "1252"),
        ("이것은 책입니다.".encode("euc_kr"), "EUC-KR", "1252"),
        ("Это книга.".encode("koi8-r"), "KOI8-R", "1252"),
        (b"\xe9\x01\x02\x03", "may be no text at all", "1252"),
    ],
)
def test_advice_is_given_where_it_makes_sense(tmp_path: Path, line: bytes, advice: str, never: str) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"fine\n" + line + b"\n")
    with pytest.raises(DataError, match=rf"^{path}:2: byte \d+ .*{advice}") as caught:
        list(read_lines(path))
    assert never not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            '<?xml version="1.0"?>\n<!DOCTYPE tmx>\n<tmx version="1.4">\n',
            "a translation memory (TMX)",
        ),
        ('<tmx version="1.4">\n', "a translation memory (TMX)"),
        ('\ufeff<?xml version="1.0"?>\n<xliff version="1.2">\n', "XLIFF"),
        ('<?xml version="1.0"?>\n<a/>\n', "XML"),
        ("<!doctype html>\n<html>\n", "HTML"),
        ('<srcset setid="newstest" srclang="any">\n', "a test set in SGML"),
        ("1\r\n00:00:01,000 --> 00:00:02,500\r\nHello.\r\n", "subtitles (SubRip)"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nHello.\n", "subtitles (WebVTT)"),
        ('# A comment\nmsgid ""\nmsgstr ""\n"Language: de\\n"\n', "a gettext catalogue (PO)"),
        ("1\n2\n3\n", None),
        ("<b>Hello</b>\n", None),
        ("Say: <html> begins a page.\n", None),
        ("msgid is a word\n", None),
        ("", None),
    ],
)
def test_structures_are_told_from_lines(text: str, what: str | None) -> None:
    assert structure_of(text.encode()) == what


def test_the_size_as_read_is_known_of_plain_files_alone(tmp_path: Path) -> None:
    plain, wide, fifo = tmp_path / "plain", tmp_path / "wide", tmp_path / "fifo"
    plain.write_bytes(b"text\n")
    wide.write_bytes("text\n".encode("utf-16"))
    os.mkfifo(fifo)
    sizes = {path: size_as_read(path) for path in (plain, wide, fifo, tmp_path / "nothing", tmp_path)}
    assert list(sizes.values()) == [5, None, None, None, None]
