"""Files as mtcli reads them: compressed by suffix, strict UTF-8, lines ended by `\\n` alone."""

import gzip
import lzma
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from mtcli.errors import DataError
from mtcli.files.compression import OPENERS
from mtcli.files.messages import STDIN, display_name, file_error


@contextmanager
def open_binary(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, decompressed by its suffix (.gz, .bz2, .xz); `-` is stdin.

    Raises:
        DataError: the file is missing, unreadable, or not compressed as its suffix says.
    """
    opener = OPENERS.get(path.suffix, open)
    try:
        with _open_stdin() if path == STDIN else opener(path, "rb") as stream:
            yield cast(BinaryIO, stream)
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is not a whole {path.suffix} file: {error}. Download or compress it again.") from error
    except OSError as error:
        if path.suffix == ".bz2" and error.errno is None:
            raise DataError(f"{path} is not a whole .bz2 file: {error}. Download or compress it again.") from error
        raise file_error(Path(display_name(path)), error, "read") from error


@contextmanager
def _open_stdin() -> Iterator[BinaryIO]:
    if sys.stdin is None:
        raise DataError("Standard input is closed. Give a file as the input, or pipe text in.")
    try:
        descriptor = sys.stdin.fileno()
    except OSError:  # no file behind it: a test's
        yield sys.stdin.buffer
        return
    # A buffer of our own: the interpreter dies at its end if a thread still waits inside sys.stdin's.
    with open(descriptor, "rb", closefd=False) as stream:
        yield stream


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
            "valid UTF-8. Convert the file first, for example with: iconv -f WINDOWS-1252 -t UTF-8."
        ) from error


def read_lines(path: Path) -> Iterator[str]:
    """The file's lines as text, one at a time; only `\\n` ends a line, a final `\\r` is stripped.

    Raises:
        DataError: the file is missing, unreadable, damaged, or not UTF-8 (names file and line).
    """
    with open_binary(path) as stream:
        for number, raw in enumerate(raw_lines(stream), start=1):
            yield decode_line(raw, path, number)
