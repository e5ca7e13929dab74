"""An output that is not whole yet, kept so that a later run can go on with it."""

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mtcli.files import (
    Fingerprint,
    Output,
    compress_file,
    content_hash,
    file_error,
    hidden_name,
    is_compressed,
    open_locked,
    sync,
)
from mtcli.jobs.state import in_use


def partial_of(target: Path) -> Path:
    """Name the file in which a target is written until it is whole: uncompressed, hidden beside it."""
    return hidden_name(target, "partial")


def compressed_of(target: Path) -> Path:
    """Name the file into which a whole partial file is compressed, before it gets the target's name."""
    return hidden_name(target, "compressed")


def remove_partials(target: Path) -> None:
    """Remove what was written of a target; the target itself stays."""
    for path in (partial_of(target), compressed_of(target)):
        with suppress(OSError):
            path.unlink(missing_ok=True)


Finishing = Callable[[Path, Path], None]
"""Make a target of all that was written of it: from one file into another."""


class Partial(Output):
    """Write a target that is not whole yet.

    Attributes:
        length: bytes written, those of earlier runs included.

    Raises, from every method:
        DataError: the file cannot be written.
    """

    def __init__(
        self,
        target: Path,
        name: str,
        length: int = 0,
        fingerprint: Fingerprint | None = None,
        finishing: Finishing | None = None,
    ) -> None:
        """Go on after the first `length` bytes of what an earlier run left, and drop the rest.

        Args:
            target: the file's final place.
            name: what the user calls it.
            fingerprint: one that has read no more than those bytes.
            finishing: makes the target of what was written, where that is not the target itself.

        Raises:
            DataError: another process is writing it, or it cannot be written.
        """
        self.target, self.length = target, length
        self._finishing = finishing
        if finishing is None and is_compressed(target):
            self._finishing = functools.partial(compress_file, suffix=target.suffix)
        self._path, self._user_name = partial_of(target), Path(name)
        self._fingerprint = fingerprint or Fingerprint(self._path)
        with self._telling():
            stream = open_locked(self._path)
            if stream is None:
                raise in_use(self._user_name)
            stream.truncate(length)
        self._file = stream
        super().__init__(stream, name, awaited=False)

    def write(self, data: bytes) -> None:
        super().write(data)
        self.length += len(data)

    def sync(self) -> None:
        """Put what was written on the disk for good; may be called while another thread writes."""
        with self._telling():
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Sync and close; what was written stays for a later run."""
        if not self._file.closed:
            try:
                self.sync()
            finally:
                with suppress(OSError):
                    self._file.close()

    @property
    def is_open(self) -> bool:
        return not self._file.closed

    def hash_up_to(self, length: int) -> str | None:
        """Hash the first `length` bytes, which have been synced; None where they are not all there."""
        with self._telling():
            return self._fingerprint.up_to(length)

    def finish(self) -> str:
        """Sync the file, and make the target of it where that is another; returns the hash of what will appear."""
        self.sync()
        if not self._finishing:
            return self.hash_up_to(self.length) or ""
        finished = compressed_of(self.target)
        with self._telling():
            self._finishing(self._path, finished)
        return content_hash(finished)

    def appear(self) -> None:
        """Give the finished file its name, in one step."""
        with self._telling():
            if os.name == "nt":  # which renames no file that is open
                self._file.close()
            (compressed_of(self.target) if self._finishing else self._path).replace(self.target)
            sync(self.target.parent)
            if self._finishing:
                self._path.unlink(missing_ok=True)
            self._file.close()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise file_error(self._user_name, error, "write") from error
