"""Files that one process writes at a time."""

import os
from pathlib import Path
from typing import IO

import pytest

from mtcli.files import (
    lock_file,
    locks,
    open_locked,
)


def test_a_locked_file_is_locked_until_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    first = open_locked(path)
    assert first is not None
    assert open_locked(path) is None
    first.write(b"kept")
    first.close()
    second = open_locked(path)
    assert second is not None
    assert path.read_bytes() == b"kept"
    second.close()


def test_a_file_that_was_replaced_meanwhile_is_not_the_one_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, fresh = tmp_path / "file", tmp_path / "fresh"
    fresh.write_bytes(b"fresh")
    lock = locks.lock_file

    def lock_too_late(stream: IO[bytes]) -> bool:
        if fresh.exists():
            fresh.replace(path)
        return lock(stream)

    monkeypatch.setattr(locks, "lock_file", lock_too_late)
    stream = open_locked(path)
    assert stream is not None
    assert os.path.samestat(os.fstat(stream.fileno()), path.stat())
    assert path.read_bytes() == b"fresh"
    stream.close()


def test_where_there_are_no_locks_everybody_is_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "fcntl", None)
    with (tmp_path / "file").open("wb") as first, (tmp_path / "file").open("ab") as second:
        assert lock_file(first) and lock_file(second)
