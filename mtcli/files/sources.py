"""Bytes on their way from a file to whoever reads it, in layers; each tells its errors in the file's name.

An error is turned into a sentence where it is met, so that it names its own file however many are read together.
"""

import codecs
import errno
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mtcli.errors import DataError
from mtcli.files.decompression import NAMES, is_damage
from mtcli.files.messages import display_name, file_error

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK = 1 << 16
_HEAD = 1 << 16


class Bytes(Protocol):
    """What a layer reads from."""

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None: ...


class Source(io.RawIOBase):
    """Bytes of a file, as the system gives them or decompressed."""

    closed = False  # a plain attribute: the buffer above asks for it at every line

    def __init__(self, stream: Bytes, path: Path, compression: str | None = None) -> None:
        """Read `stream`, which belongs to `path`; `compression` is one of `NAMES` where the stream decompresses."""
        super().__init__()
        self._stream, self._path, self._compression = stream, path, compression
        # GzipFile waits until a whole buffer is full, unless it is told to read once.
        self._read = getattr(stream, "readinto1", stream.readinto)
        self._head, self._place, self._ended = b"", 0, False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        super().close()
        self.closed = True

    def head(self) -> bytes:
        """Give the first bytes, which stay to be read: up to the first line feed at least, or the first 65,536.

        Nobody waits for them in vain: before its line feed no line is there to be handed on.

        Raises:
            DataError: they cannot be read.
        """
        while len(self._head) < _HEAD and b"\n" not in self._head and not self._ended:
            chunk = bytearray(_HEAD)
            count = self._read_some(chunk)
            self._ended = not count
            self._head += chunk[:count]
        return self._head

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill the buffer, at least in part; 0 at the end.

        Raises:
            DataError: the file cannot be read, or is damaged.
        """
        if self._place == len(self._head):
            return 0 if self._ended else self._read_some(buffer)
        view = memoryview(buffer)
        count = min(len(view), len(self._head) - self._place)
        view[:count] = self._head[self._place : self._place + count]
        self._place += count
        return count

    def _read_some(self, buffer: "WriteableBuffer") -> int:
        try:
            count = self._read(buffer)
            if count is None:  # a pipe that somebody told not to wait: its end is not to be taken for this
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        except Exception as error:
            if self._compression and is_damage(error):
                raise damaged(self._path, self._compression, str(error)) from error
            if isinstance(error, OSError):
                raise file_error(Path(display_name(self._path)), error, "read") from error
            raise
        return count


class Transcoding(io.RawIOBase):
    """The text of a file in UTF-16 or UTF-32, as UTF-8 without a byte order mark."""

    def __init__(self, stream: Bytes, path: Path, encoding: str) -> None:
        """Read `stream`, which belongs to `path` and begins with a byte order mark of `encoding`."""
        super().__init__()
        self._stream, self._path, self._encoding = stream, path, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._read, self._held, self._place, self._ended = 0, b"", 0, False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill the buffer, at least in part; 0 at the end.

        Raises:
            DataError: the file cannot be read, or is not of its encoding.
        """
        while self._place == len(self._held):
            if self._ended:
                return 0
            self._held, self._place = self._transcode_some(), 0
        view = memoryview(buffer)
        count = min(len(view), len(self._held) - self._place)
        view[:count] = self._held[self._place : self._place + count]
        self._place += count
        return count

    def _transcode_some(self) -> bytes:
        chunk = bytearray(CHUNK)
        count = self._stream.readinto(chunk) or 0
        self._ended, self._read = not count, self._read + count
        try:
            return self._decoder.decode(chunk[:count], final=self._ended).encode()
        except UnicodeDecodeError as error:
            place = self._read - len(error.object) + error.start + 1
            raise DataError(
                f"{display_name(self._path)} begins as {self._encoding} and is damaged at byte {place:,}: "
                f"{error.reason}. Copy or convert it again."
            ) from error


def damaged(path: Path, suffix: str, reason: str) -> DataError:
    """The error for a compressed file that is not whole; the suffix says how it is compressed."""
    name = f"a whole {suffix} file" if path.suffix.lower() == suffix else f"whole {NAMES[suffix]} data"
    return DataError(f"{display_name(path)} is not {name}: {reason.rstrip('.')}. Download or compress it again.")
