"""Outputs: written beside their final name and renamed when whole, compressed by suffix."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mtcli.errors import DataError
from mtcli.files.compression import check_compression, compressing
from mtcli.files.messages import STDIN, file_error

_STDOUT_NAME = "standard output"


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
            with path.open("wb") as raw, compressing(raw, path.suffix) as stream:
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
        compressing(raw, path.suffix) as stream,
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
        DataError: the file exists and `force` is not given, its directory does not exist, or the package that
            compresses it is missing.
    """
    if path is None or path == STDIN:
        return
    if path.is_dir():
        raise DataError(f"The output {path} is a directory, a file name was expected.")
    if path.exists() and not force and path.is_file():
        raise DataError(f"The output {path} exists already. Give another name, or --force to overwrite it.")
    check_compression(path)
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
