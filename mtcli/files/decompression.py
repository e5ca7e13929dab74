"""Decompressed bytes of files, whatever their names: gzip, bzip2, xz and Zstandard, by what they begin with."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, BinaryIO, Protocol

from mtcli.files.compression import zstandard_for

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

NAMES: Mapping[str, str] = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "Zstandard"}
_SIGNATURES = (
    (b"\x1f\x8b", ".gz"),
    *((b"BZh%d1AY&SY" % level, ".bz2") for level in range(1, 10)),
    *((b"BZh%d\x17rE8P\x90" % level, ".bz2") for level in range(1, 10)),  # of no bytes at all
    (b"\xfd7zXZ\x00", ".xz"),
    (b"\x28\xb5\x2f\xfd", ".zst"),
    *((bytes([kind]) + b"\x2a\x4d\x18", ".zst") for kind in range(0x50, 0x60)),  # a frame to skip, as pzstd writes
)
_CHUNK = 1 << 14  # what the worst of so many bytes are decompressed to still fits into memory


def compression_of(head: bytes) -> str | None:
    """Tell the compression of a file by its first bytes, as the suffix of its usual name; None where there is none."""
    return next((suffix for signature, suffix in _SIGNATURES if head.startswith(signature)), None)


def decompressed(stream: BinaryIO, suffix: str, name: str) -> io.BufferedIOBase | io.RawIOBase:
    """Decompress a stream of one of the `NAMES`, all its parts; what is left behind the last of them is an error.

    Args:
        name: what a message calls the stream.

    Raises:
        DataError: the package that reads it is not installed.
    """
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=stream, mode="rb")
    return _Decompressing(stream, _DECOMPRESSORS[suffix](name))


def is_damage(error: Exception) -> bool:
    """Whether an error says that compressed bytes are not what was compressed, or not all of it."""
    if isinstance(error, EOFError | lzma.LZMAError | zlib.error | gzip.BadGzipFile):
        return True
    # Neither bzip2's errors have a number, as the system's have, nor do Zstandard's have a type to be had without it.
    return (isinstance(error, OSError) and error.errno is None) or type(error).__name__ == "ZstdError"


class _Decompressor(Protocol):
    """One compressed part of a stream, as bz2 and lzma read it."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class _Decompressing(io.RawIOBase):
    """Several compressed parts as one stream.

    The files of bz2 and lzma take a damaged beginning of a later part for something else, and end in silence there.
    """

    def __init__(self, stream: BinaryIO, begin: Callable[[], _Decompressor]) -> None:
        super().__init__()
        self._stream, self._begin, self._part = stream, begin, begin()
        self._held, self._place = b"", 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill the buffer, at least in part.

        Raises:
            EOFError, OSError, lzma.LZMAError, zstandard.ZstdError: the bytes are damaged, or end too early.
        """
        if self._place == len(self._held):
            self._held, self._place = self._decompress_some(), 0
        view = memoryview(buffer)
        count = min(len(view), len(self._held) - self._place)
        view[:count] = self._held[self._place : self._place + count]
        self._place += count
        return count

    def _decompress_some(self) -> bytes:
        """The next bytes; none at the end."""
        while True:
            chunk = self._stream.read1(_CHUNK)  # type: ignore[attr-defined]
            if not chunk:
                if not self._part.eof:
                    raise EOFError("it ends too early")
                return b""
            if found := self._feed(chunk):
                return found

    def _feed(self, chunk: bytes) -> bytes:
        found = []
        while chunk:
            if self._part.eof:
                chunk = chunk.lstrip(b"\x00")  # archives fill up with them
                if not chunk:
                    break
                self._part = self._begin()
            found.append(self._part.decompress(chunk))
            chunk = self._part.unused_data if self._part.eof else b""
        return b"".join(found)


def _zstd(name: str) -> Callable[[], _Decompressor]:
    zstandard = zstandard_for(f"{name} is compressed", "Or decompress the file first: zstd -d.")
    begin: Callable[[], _Decompressor] = zstandard.ZstdDecompressor().decompressobj
    return begin


_DECOMPRESSORS: Mapping[str, Callable[[str], Callable[[], _Decompressor]]] = {
    ".bz2": lambda _: bz2.BZ2Decompressor,
    ".xz": lambda _: lzma.LZMADecompressor,
    ".zst": _zstd,
}
