"""A model directory that is there whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mtcli.errors import DataError
from mtcli.files import file_error, hidden_name, partial_name, sync_directory


def refuse_directory(out: Path, force: bool) -> None:
    """Check the name of a directory that is to be made, before any work is done.

    Raises:
        DataError: it exists and `force` is not given, it is a file, or the directory above it does not exist.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise DataError(f"The output {out} is a file or a link, the name of a new directory was expected.")
    if out.exists() and any(out.iterdir()) and not force:
        raise DataError(f"The output {out} exists already. Give another name, or --force to replace it.")
    if not out.resolve().parent.is_dir():
        raise DataError(f"Cannot write {out}: the directory {out.parent} does not exist. Create it first.")


@contextmanager
def whole_directory(out: Path, known: frozenset[str]) -> Iterator[Path]:
    """A new directory beside `out` that takes its place when the block ends well, and is removed if not.

    Args:
        known: names of the files that such a directory holds: one that holds anything else is not replaced.

    Raises:
        DataError: `out` holds something else, or cannot be written.
    """
    out = out.resolve()
    if out.is_dir() and (foreign := sorted(entry.name for entry in out.iterdir() if entry.name not in known)):
        raise DataError(f"The output {out} holds {foreign[0]}, which no export writes. Give another name.")
    partial, replaced = partial_name(out), hidden_name(out, f"{os.getpid()}.replaced")
    try:
        partial.mkdir()
        yield partial
        for file in partial.iterdir():
            with file.open("rb+") as stream:
                os.fsync(stream.fileno())
        if out.is_dir():
            out.rename(replaced)
        partial.rename(out)
        sync_directory(out.parent)
    except OSError as error:
        raise file_error(out, error, "write") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)
