"""Files that one process writes at a time."""

import os
from pathlib import Path
from typing import IO, BinaryIO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


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
