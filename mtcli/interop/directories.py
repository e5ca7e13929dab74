"""Directories that come into being whole, or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mtcli.errors import DataError
from mtcli.files import file_error, hidden_name, partial_name, sync


def refuse_to_replace(out: Path, force: bool) -> None:
    """Check a directory's name before any work is done.

    Raises:
        DataError: it exists and `force` is not given, or holds something that is no model; or it has no parent.
    """
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.is_dir() and force and not (out / "config.json").exists():
        raise DataError(f"The output {out} holds something that is no model: --force replaces models alone.")
    if out.is_dir() and (inside := sorted(path.name for path in out.iterdir() if path.is_dir())):
        raise DataError(f"The output {out} holds the directory {inside[0]}, as a training run does. Give another name.")
    if out.exists() and not out.is_dir():
        raise DataError(f"The output {out} is a file; the name of a new directory was expected.")
    if out.exists() and not force:
        raise DataError(f"The output {out} exists already. Give another name, or --force to replace it.")
    if not out.absolute().parent.is_dir():
        raise DataError(f"Cannot write {out}: the directory {out.parent} does not exist. Create it first.")


@contextmanager
def atomic_directory(out: Path) -> Iterator[Path]:
    """A new directory beside `out` that takes its place when the block ends well, and is removed if not.

    Raises:
        DataError: it cannot be written.
    """
    out = Path(os.path.normpath(out.absolute()))
    partial, old = partial_name(out), hidden_name(out, f"{os.getpid()}.replaced")
    try:
        partial.mkdir()
        yield partial
        for path in partial.iterdir():
            with path.open("rb+") as stream:
                os.fsync(stream.fileno())
        if out.exists():
            out.rename(old)  # a directory can only be renamed to where there is nothing
        partial.rename(out)
        sync(out.parent)
    except OSError as error:
        raise file_error(out, error, "write") from error
    finally:
        if old.exists() and not out.exists():  # stopped between the two renames
            old.rename(out)
        for path in (partial, old):
            with suppress(OSError):
                shutil.rmtree(path)
