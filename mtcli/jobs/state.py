"""How far a translation into files has come: a small file beside the first output, by which a later run goes on.

It holds one `Commit` as JSON, with a checksum, and is replaced in one step. The process that holds its lock
may write it, and the partial files that it speaks of. When the job is done it stays, so that the same
command again knows whose the outputs are.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from mtcli.errors import DataError
from mtcli.files import content_hash, file_error, hidden_name, lock_file, open_locked

_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Commit:
    """Say how far a job is on the disk. Its targets are the outputs in order, then the alignments, then the statistics.

    Attributes:
        key: what makes it this job and no other: a hash for each kind of thing (mtcli/jobs/identity.py).
        lines: lines whose translations are in the outputs.
        unended: whether the last line was written without a newline.
        place: how many targets have appeared under their own name.
        finished: a hash over those, as `chained` makes it.
        whole: the hash of the target that was about to appear; empty where none was.
        partials: of each target being written, by its index, the length in bytes and the hash of what is committed.
        counts: for the totals of the whole job (mtcli/jobs/tally.py).
        forced: whether the job was told to overwrite outputs.
        verified: how many lines --verify compared.
        done: whether nothing is left to do.
    """

    key: Mapping[str, str]
    lines: int = 0
    unended: bool = False
    place: int = 0
    finished: str = ""
    whole: str = ""
    partials: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    counts: Mapping[str, float] = field(default_factory=dict)
    forced: bool = False
    verified: int = 0
    done: bool = False

    def to_json(self) -> str:
        content = {"format": _FORMAT, **asdict(self)}
        return json.dumps({**content, "checksum": _checksum(content)}) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Commit":
        """Read what `to_json` wrote.

        Raises:
            ValueError: the text is something else.
        """
        content = json.loads(text)
        if not isinstance(content, dict) or content.pop("checksum", None) != _checksum(content):
            raise ValueError("its checksum does not fit")
        if content.pop("format") != _FORMAT:
            raise ValueError("another mtcli wrote it")
        partials = {index: (length, digest) for index, (length, digest) in content.pop("partials").items()}
        return cls(**content, partials=partials)


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()


def chained(finished: str, digest: str) -> str:
    """Extend a hash over finished targets by one more."""
    return hashlib.blake2b(f"{finished}\n{digest}".encode(), digest_size=16).hexdigest()


def chain_of(paths: list[Path]) -> str | None:
    """Hash these finished targets; None where one of them is not there.

    Raises:
        DataError: one cannot be read.
    """
    finished = ""
    for path in paths:
        if not path.is_file():
            return None
        finished = chained(finished, content_hash(path))
    return finished


class JobState:
    """Keep the journal of the job whose first output is `target`; a context manager that holds its lock."""

    def __init__(self, target: Path) -> None:
        self.path = hidden_name(target, "journal")
        self._target = target
        self._lock: BinaryIO | None = None
        self._removed = False

    def __enter__(self) -> "JobState":
        """Lock the journal, which is made if it is not there.

        Raises:
            DataError: another process is writing the output, or the journal cannot be written.
        """
        try:
            self._lock = open_locked(self.path)
        except OSError as error:
            raise file_error(self._target, error, "write") from error
        if self._lock is None:
            raise in_use(self._target)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._lock is not None
        with suppress(OSError):
            if not self._removed and not os.fstat(self._lock.fileno()).st_size:  # nothing was committed
                self.path.unlink(missing_ok=True)
        self._lock.close()

    def read(self) -> Commit | None:
        """Read what was committed last; None where nothing was.

        Raises:
            ValueError: the journal is damaged.
            DataError: it cannot be read.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
            return Commit.from_json(text) if text else None
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(str(error)) from error
        except OSError as error:
            raise file_error(self.path, error, "read") from error

    def write(self, state: Commit) -> None:
        """Replace what is there by a new state, which is on the disk then.

        Raises:
            OSError: it cannot be written.
        """
        fresh = hidden_name(self._target, "journal.new")
        stream = fresh.open("wb")
        try:
            stream.write(state.to_json().encode())
            stream.flush()
            os.fsync(stream.fileno())
            lock_file(stream)  # before it has the name by which another process could find it
            if os.name == "nt":  # which renames no file that is open
                stream.close()
            fresh.replace(self.path)
        except BaseException:
            stream.close()
            fresh.unlink(missing_ok=True)
            raise
        assert self._lock is not None
        self._lock.close()
        self._lock = stream

    def remove(self) -> None:
        """Remove the journal."""
        self._removed = True
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def in_use(path: Path) -> DataError:
    """Make the error for an output that another process is writing."""
    return DataError(f"Another process is writing {path}. Wait until it has ended, or give another output.")
