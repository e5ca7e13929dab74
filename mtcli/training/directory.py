"""A run's directory: one training at a time is at work in it, and leftovers of those that were killed go."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mtcli.errors import CheckpointError
from mtcli.files import file_error, open_locked

_LOCK, _PARTS = ".lock", ("cache", "checkpoints")


@contextmanager
def run_directory(run_dir: Path, *, is_writer: bool) -> Iterator[None]:
    """Make the directory, if there is none, and keep other trainings out of it inside the block.

    Args:
        is_writer: False for those of several processes that write nothing; they neither lock nor make anything.

    Raises:
        CheckpointError: it is no directory of a run, or another training is at work there.
        DataError: it cannot be written.
    """
    if not is_writer:
        yield
        return
    _check(run_dir)
    lock = run_dir / _LOCK
    try:
        for part in _PARTS:
            (run_dir / part).mkdir(parents=True, exist_ok=True)
        held = open_locked(lock)
    except OSError as error:
        raise file_error(run_dir, error, "write") from error
    if held is None:
        raise CheckpointError(
            f"Another training is at work in {run_dir}. Wait until it is done or stop it, or give another -o."
        )
    with held:
        try:
            _tidy(run_dir)
            yield
        finally:
            lock.unlink(missing_ok=True)


def _check(run_dir: Path) -> None:
    if run_dir.exists() and not run_dir.is_dir():
        raise CheckpointError(f"The output {run_dir} is a file. Give a directory for the run.")
    looks_like_a_run = (run_dir / "cache").exists() or (run_dir / "config.json").exists()
    if run_dir.is_dir() and any(run_dir.iterdir()) and not looks_like_a_run:
        raise CheckpointError(f"The directory {run_dir} holds something that is not a training run. Give another one.")


def _tidy(run_dir: Path) -> None:
    """Remove what was being written when a training was killed."""
    places = ((run_dir, ".*.partial"), *((run_dir / part, "*.partial") for part in _PARTS))  # a hidden one fits both
    for path in [path for place, pattern in places for path in place.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
