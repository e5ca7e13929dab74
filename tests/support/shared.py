"""Directories that are costly to make: made once a run of the tests, for all of its worker processes."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The directory of this name, which the first worker that asks for it makes while others wait.

    Args:
        factory: this worker's; the directory lies beside those of all workers.
        name: of the directory.
        make: fills it; it is there, and empty.
    """
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    shared.mkdir(exist_ok=True)
    directory, done = shared / name, shared / f"{name}.done"
    with (shared / f"{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(directory, ignore_errors=True)  # of a worker whose making failed
            directory.mkdir()
            make(directory)
            done.touch()
    return directory
