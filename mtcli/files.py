"""Files as mtcli reads and writes them: compressed by suffix, strict UTF-8, lines ended by `\\n` alone,
outputs written beside their final name and renamed when whole."""

import bz2
import errno
import gzip
import hashlib
import lzma
import os
import shutil
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from mtcli.errors import DataError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

STDIN = Path("-")
_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_CHUNK = 1 << 20
_STDOUT_NAME = "standard output"


def display_name(path: Path) -> str:
    """The name to call an input by in a message."""
    return "<stdin>" if path == STDIN else str(path)


def missing_file(path: Path, what: str) -> DataError:
    """The error for a file that cannot be opened because it is not there."""
    return DataError(f"{what} {path} does not exist. Check the path (it is relative to {Path.cwd()}).")


def file_error(path: Path, error: OSError, action: str) -> DataError:
    """Turn an operating-system error about `path` into a sentence; `action` is "read" or "write"."""
    if isinstance(error, FileNotFoundError):
        if action == "write":
            return DataError(f"Cannot write {path}: the directory {path.parent} does not exist. Create it first.")
        return missing_file(path, "The file")
    if isinstance(error, IsADirectoryError):
        return DataError(f"Cannot {action} {path}: it is a directory, a file was expected.")
    if isinstance(error, PermissionError):
        return DataError(f"Cannot {action} {path}: permission denied.")
    if error.errno == errno.ENOSPC:
        return DataError(f"Cannot write {path}: no space is left on the device. Free some and run again.")
    return DataError(f"Cannot {action} {path}: {error.strerror or error}.")


def is_compressed(path: Path) -> bool:
    """Whether a file of this name is compressed."""
    return path.suffix in _OPENERS


@contextmanager
def _compressing(stream: BinaryIO, suffix: str) -> Iterator[BinaryIO]:
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
        with _compressing(stream, suffix) as compressed:
            shutil.copyfileobj(plain, compressed, _CHUNK)
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def open_binary(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, decompressed by its suffix (.gz, .bz2, .xz); `-` is stdin.

    Raises:
        DataError: the file is missing, unreadable, or not compressed as its suffix says.
    """
    opener = _OPENERS.get(path.suffix, open)
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


def content_hash(path: Path) -> str:
    """BLAKE2b-128 of the bytes on disk, in hexadecimal.

    Raises:
        DataError: the file is missing or unreadable.
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise file_error(path, error, "read") from error
    return digest.hexdigest()


class Fingerprint:
    """`content_hash` of the first bytes of a file that grows; no byte is read twice."""

    def __init__(self, path: Path) -> None:
        self._path, self._digest, self._length = path, hashlib.blake2b(digest_size=16), 0

    def up_to(self, length: int) -> str | None:
        """Of the first `length` bytes, at least as many as at the last call; None where the file has fewer.

        Raises:
            OSError: the file cannot be read.
        """
        if length > self._length:
            try:
                stream = self._path.open("rb")
            except FileNotFoundError:
                return None
            with stream:
                stream.seek(self._length)
                while chunk := stream.read(min(_CHUNK, length - self._length)):
                    self._digest.update(chunk)
                    self._length += len(chunk)
        return self._digest.hexdigest() if self._length == length else None


def lock_file(stream: IO[bytes]) -> bool:
    """Keep other processes from locking an open file until it is closed; False where another one was first.

    Where the system or the file system has no such locks, everybody is first.
    """
    if fcntl is None:
        return True
    try:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems
        return True
    return True


def open_locked(path: Path) -> BinaryIO | None:
    """Open a file to append to it, made if it is not there, and lock it; None where another process holds it.

    Raises:
        OSError: it cannot be opened.
    """
    while True:
        stream = path.open("ab")
        if not lock_file(stream):
            stream.close()
            return None
        if _is_at(path, stream):
            return stream
        stream.close()  # another process has just put a new file in its place


def _is_at(path: Path, stream: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


def hidden_name(path: Path, kind: str) -> Path:
    """Where something about `path` lies, of one `kind`: in its own directory, out of the way."""
    return path.with_name(f".{path.name}.{kind}")


def partial_name(path: Path) -> Path:
    """Where `path` is written until it is whole: in its own directory, so that the rename is atomic."""
    return hidden_name(path, f"{os.getpid()}.partial")


def sync(path: Path) -> None:
    """Make a file's content, or the renames inside a directory, survive a power cut, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` that becomes `path` when the block ends well, and is removed if not.

    Raises:
        DataError: the file cannot be written.
    """
    partial = partial_name(path)
    try:
        yield partial
        with partial.open("rb+") as stream:
            os.fsync(stream.fileno())
        partial.replace(path)
        sync(path.parent)
    except BrokenPipeError:  # of another output, being written at the same time
        raise
    except OSError as error:
        raise file_error(path, error, "write") from error
    finally:
        with suppress(OSError):
            partial.unlink()


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace `path` by `content` in one step.

    Raises:
        DataError: the file cannot be written.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    with atomic_path(path) as partial:
        partial.write_bytes(data)


class Output:
    """A file being written; what goes wrong with it is said in its name.

    Attributes:
        awaited: somebody may read while we write: it is a pipe or a terminal, no plain file.

    Raises, from every method:
        DataError: the file cannot be written.
        BrokenPipeError: its reader has gone.
    """

    def __init__(self, stream: BinaryIO, name: str, awaited: bool) -> None:
        self._stream, self._name, self.awaited = stream, name, awaited

    def write(self, data: bytes) -> None:
        self._guarded(lambda: self._stream.write(data))

    def flush(self) -> None:
        """Hand on what was written to whoever reads it."""
        self._guarded(self._stream.flush)

    def _guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise file_error(Path(self._name), error, "write") from error


def is_awaited(path: Path | None) -> bool:
    """Whether somebody may read this output while it is written: it is a pipe, a terminal, a device, no plain file."""
    if path is not None and path != STDIN:
        return path.exists() and not path.is_file()
    try:
        return not stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except OSError:  # no file behind it: a test's
        return True


@contextmanager
def open_output(path: Path | None) -> Iterator[Output]:
    """Open an output, compressed by its suffix: stdout for None or `-`, else written beside and renamed.

    Raises:
        DataError: the file cannot be written.
    """
    if path is None or path == STDIN:
        with _stdout() as output:
            yield output
        return
    if is_awaited(path):  # /dev/null, a FIFO: nothing to rename over
        try:
            with path.open("wb") as raw, _compressing(raw, path.suffix) as stream:
                yield Output(stream, str(path), awaited=True)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise file_error(path, error, "write") from error
        return
    # Through a link (/dev/stdout sent to a file is one) to the file it names: the link itself stays.
    with (
        atomic_path(path.resolve()) as partial,
        partial.open("wb") as raw,
        _compressing(raw, path.suffix) as stream,
    ):
        yield Output(stream, str(path), awaited=False)


@contextmanager
def _stdout() -> Iterator[Output]:
    output = Output(sys.stdout.buffer, _STDOUT_NAME, is_awaited(None))
    yield output
    output.flush()


def write_output(path: Path, data: bytes) -> None:
    """Write a whole output, as `open_output` does.

    Raises:
        DataError: the file cannot be written.
    """
    with open_output(path) as output:
        output.write(data)


def refuse_to_overwrite(path: Path | None, force: bool) -> None:
    """Check an output's name before any work is done.

    Raises:
        DataError: the file exists and `force` is not given, or its directory does not exist.
    """
    if path is None or path == STDIN:
        return
    if path.is_dir():
        raise DataError(f"The output {path} is a directory, a file name was expected.")
    if path.exists() and not force and path.is_file():
        raise DataError(f"The output {path} exists already. Give another name, or --force to overwrite it.")
    if not path.parent.is_dir():
        raise DataError(f"Cannot write {path}: the directory {path.parent} does not exist. Create it first.")


def check_writable(path: Path | None) -> None:
    """See that a plain file of this name can be written, before long work is done for it.

    Raises:
        DataError: it cannot.
    """
    if path is None or path == STDIN or is_awaited(path):
        return
    partial = partial_name(path.resolve())
    try:
        partial.touch()
        partial.unlink()
    except OSError as error:
        raise file_error(path, error, "write") from error
