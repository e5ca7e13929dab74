"""Compressed files: which suffix means which kind, and how each is written."""

import bz2
import gzip
import lzma
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, cast

from mtcli.errors import DataError

_SUFFIXES = frozenset({".gz", ".bz2", ".xz", ".zst"})
_CHUNK = 1 << 20


def is_compressed(path: Path) -> bool:
    """Whether a file of this name is to be compressed."""
    return path.suffix.lower() in _SUFFIXES


@contextmanager
def compressing(stream: BinaryIO, suffix: str) -> Iterator[BinaryIO]:
    """What is written to the result reaches `stream` compressed; equal content makes equal bytes: no time, no name."""
    compressors: dict[str, Callable[[], Any]] = {
        ".gz": lambda: gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0),
        ".bz2": lambda: bz2.BZ2File(stream, "wb"),
        ".xz": lambda: lzma.LZMAFile(stream, "wb"),  # noqa: SIM115 (closed below)
        ".zst": lambda: (
            zstandard_for("An output is compressed", "Or use .gz.")
            .ZstdCompressor()
            .stream_writer(stream, closefd=False)
        ),
    }
    if suffix.lower() not in compressors:
        yield stream
        return
    with compressors[suffix.lower()]() as compressed:
        yield cast(BinaryIO, compressed)


def zstandard_for(use: str, instead: str) -> ModuleType:
    """Import the package for Zstandard, an extra; `use` and `instead` say in the message what it is for, or else.

    Raises:
        DataError: it is not installed.
    """
    try:
        import zstandard
    except ImportError:
        raise DataError(
            f"{use} with Zstandard, and the package for that is not installed: pip install zstandard. {instead}"
        ) from None
    return zstandard


def _zstandard_writer(stream: BinaryIO) -> Any:
    package = zstandard_for("An output is to be compressed", "Or name it .gz, .bz2 or .xz.")
    return package.ZstdCompressor().stream_writer(stream, closefd=False)


def check_compression(path: Path) -> None:
    """See that an output of this name can be compressed as its suffix says.

    Raises:
        DataError: the package for it is not installed.
    """
    if path.suffix.lower() == ".zst":
        zstandard_for(f"{path} would be compressed", "Or name the output .gz, .bz2 or .xz.")


def compress_file(source: Path, target: Path, suffix: str) -> None:
    """Write the content of `source` to `target`, compressed as a file of that suffix is, and on the disk for good.

    Raises:
        OSError: one cannot be read, or the other not written.
    """
    with source.open("rb") as plain, target.open("wb") as stream:
        with compressing(stream, suffix) as compressed:
            shutil.copyfileobj(plain, compressed, _CHUNK)
        stream.flush()
        os.fsync(stream.fileno())
