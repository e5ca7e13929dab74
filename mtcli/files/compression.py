"""Compressed files: which suffix means which kind, and how each is written."""

import bz2
import gzip
import lzma
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_CHUNK = 1 << 20


def is_compressed(path: Path) -> bool:
    """Whether a file of this name is compressed."""
    return path.suffix in OPENERS


@contextmanager
def compressing(stream: BinaryIO, suffix: str) -> Iterator[BinaryIO]:
    """What is written to the result reaches `stream` compressed; equal content makes equal bytes: no time, no name."""
    compressors: dict[str, Callable[[], Any]] = {
        ".gz": lambda: gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0),
        ".bz2": lambda: bz2.BZ2File(stream, "wb"),
        ".xz": lambda: lzma.LZMAFile(stream, "wb"),  # noqa: SIM115 (closed below)
    }
    if suffix not in compressors:
        yield stream
        return
    with compressors[suffix]() as compressed:
        yield cast(BinaryIO, compressed)


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
