"""What is said of a file that could not be used."""

import errno
from pathlib import Path

from mtcli.errors import DataError

STDIN = Path("-")


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
