"""Files as mtcli reads them: decompressed, strict UTF-8 or what a mark says, lines ended by `\\n` alone."""

import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, cast

from mtcli.errors import DataError
from mtcli.files.compression import is_compressed
from mtcli.files.contents import advice, byte_order, document_of, has_macintosh_ends, unmarked_encoding
from mtcli.files.decompression import NAMES, compression_of, decompressed
from mtcli.files.messages import STDIN, display_name, file_error
from mtcli.files.sources import CHUNK, Bytes, Source, Transcoding, damaged


@contextmanager
def open_binary(path: Path) -> Iterator[io.BufferedReader]:
    """Open a file of text for reading; `-` is stdin.

    What it begins with says how it is read, not its name: gzip, bzip2, xz and Zstandard are decompressed, UTF-16 and
    UTF-32 with a byte order mark become UTF-8 without one. `peek` of the stream gives the beginning of what is read.

    Raises:
        DataError: the file is missing, unreadable, not compressed as its suffix says, or no text, which the first
            bytes tell. Reading the stream raises it as well; what else is raised inside the block stays as it is.
    """
    with ExitStack() as stack:
        source = Source(_opened(path, stack), path)
        head = source.head()
        if suffix := compression_of(head):
            stream = decompressed(_buffered(source), suffix, display_name(path))
            source = Source(stream, path, suffix)
            head = source.head()
        elif is_compressed(path):
            what = "it is not compressed" if head else "it is empty"
            raise damaged(path, path.suffix.lower(), what)
        _refuse_document(head, path)
        if encoding := byte_order(head):
            source = Source(Transcoding(source, path, encoding), path)
            head = source.head()
        _refuse_other_text(head, path)
        yield _buffered(source)


def _buffered(source: Source) -> io.BufferedReader:
    return io.BufferedReader(source, CHUNK)


def _opened(path: Path, stack: ExitStack) -> Bytes:
    """The bytes as the system has them."""
    if path != STDIN:
        try:
            return stack.enter_context(path.open("rb", buffering=0))
        except OSError as error:
            raise file_error(path, error, "read") from error
    if sys.stdin is None:
        raise DataError("Standard input is closed. Give a file as the input, or pipe text in.")
    try:
        descriptor = sys.stdin.fileno()
    except OSError:  # no file behind it: a test's
        return cast(Bytes, sys.stdin.buffer)
    # Not sys.stdin's own buffer: the interpreter dies at its end if a thread still waits inside that.
    return stack.enter_context(open(descriptor, "rb", buffering=0, closefd=False))


def _refuse_document(head: bytes, path: Path) -> None:
    if suffix := compression_of(head):
        raise DataError(
            f"{display_name(path)} is compressed twice ({NAMES[suffix]} inside). Decompress the file once first."
        )
    if what := document_of(head, path):
        raise DataError(f"{display_name(path)} is {what}; text was expected. Save or extract its text as UTF-8 first.")


def _refuse_other_text(head: bytes, path: Path) -> None:
    name = display_name(path)
    if encoding := unmarked_encoding(head):
        raise DataError(
            f"{name} is text in {encoding} without a byte order mark; UTF-8 was expected. Convert the file first: "
            f"iconv -f {encoding} -t UTF-8."
        )
    if has_macintosh_ends(head):
        raise DataError(
            f"{name} ends its lines as old Macintosh files do, by carriage returns alone, so that it would be a single "
            "line. Convert the file first: tr '\\r' '\\n'."
        )


def size_as_read(path: Path) -> int | None:
    """Give the bytes that reading a file will give, `-` for stdin; None where that cannot be told beforehand."""
    try:
        if path == STDIN:
            return _plain_size(sys.stdin.fileno())
        if not path.is_file():  # opening a pipe would wait for its writer
            return None
        with path.open("rb", buffering=0) as stream:
            return _plain_size(stream.fileno())
    except (OSError, AttributeError):  # not there, or stdin closed: reading it will tell
        return None


def _plain_size(descriptor: int) -> int | None:
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        return None
    place = os.lseek(descriptor, 0, os.SEEK_CUR)
    head = os.pread(descriptor, 16, place)
    return None if compression_of(head) or byte_order(head) else facts.st_size - place


def raw_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The stream's lines without their `\\n`; a last line that has none counts as a line."""
    for line in stream:
        yield line[:-1] if line.endswith(b"\n") else line


def decode_line(raw: bytes, path: Path, number: int) -> str:
    """Decode one line, its final `\\r` removed; `number` counts from 1.

    Raises:
        DataError: the bytes are not UTF-8; names file, line and the offending byte.
    """
    try:
        return raw.decode("utf-8").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{display_name(path)}:{number}: byte {error.start + 1} of the line (0x{raw[error.start]:02x}) is not "
            f"valid UTF-8. {advice(raw)}"
        ) from error


def read_lines(path: Path) -> Iterator[str]:
    """The file's lines as text, one at a time; only `\\n` ends a line, a final `\\r` is stripped.

    Raises:
        DataError: the file is missing, unreadable, damaged, or not UTF-8 (names file and line).
    """
    with open_binary(path) as stream:
        for number, raw in enumerate(raw_lines(stream), start=1):
            yield decode_line(raw, path, number)
