"""Outputs that are whole or absent."""

import errno
import os
import threading
from pathlib import Path

import pytest
from support.patience import PATIENCE

from mtcli.errors import DataError
from mtcli.files import (
    atomic_path,
    is_awaited,
    open_output,
    refuse_to_overwrite,
    write_atomically,
)


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_who_waits_for_an_output(tmp_path: Path) -> None:
    fifo, plain = tmp_path / "fifo", tmp_path / "plain"
    os.mkfifo(fifo)
    plain.write_bytes(b"")
    expected = {fifo: True, plain: False, tmp_path / "new": False, Path("/dev/null"): True}
    assert {path: is_awaited(path) for path in expected} == expected


@pytest.mark.parametrize(("content", "expected"), [("grün\n", "grün\n".encode()), (b"\xff\r\n", b"\xff\r\n")])
def test_content_is_replaced_whole(tmp_path: Path, content: str | bytes, expected: bytes) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"a much longer content that was there before")
    write_atomically(path, content)
    assert path.read_bytes() == expected
    assert names_in(tmp_path) == ["out"]


def test_an_output_appears_only_when_whole(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with open_output(path) as stream:
        stream.write(b"half")
        stream.flush()
        assert not path.exists()
        assert len(names_in(tmp_path)) == 1  # written in the same directory
    assert path.read_bytes() == b"half"


@pytest.mark.parametrize("name", ["out", "out.gz"])
@pytest.mark.parametrize("error", [ValueError, DataError, KeyboardInterrupt])
def test_an_error_leaves_the_old_output_and_no_partial(tmp_path: Path, name: str, error: type[BaseException]) -> None:
    path = tmp_path / name
    path.write_bytes(b"old")
    with pytest.raises(error), open_output(path) as stream:
        stream.write(b"new")
        raise error
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == [name]


def test_an_error_of_the_disk_removes_the_partial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=rf"Cannot write {tmp_path}/out: no space is left"):
        write_atomically(tmp_path / "out", "text")
    assert names_in(tmp_path) == []


def test_a_missing_directory_is_to_be_created_first(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"the directory {tmp_path}/no does not exist. Create it first"):
        write_atomically(tmp_path / "no" / "out", "text")
    assert names_in(tmp_path) == []


def test_a_file_in_place_of_the_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="Cannot write"):
        write_atomically(tmp_path / "file" / "out", "text")


def test_two_writers_do_not_share_a_partial(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a") as first, atomic_path(tmp_path / "b") as second:
        assert first != second
        first.write_bytes(b"1")
        second.write_bytes(b"2")
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()) == (b"1", b"2")


def test_the_null_device_is_never_renamed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("renamed over a device")

    monkeypatch.setattr(Path, "replace", refuse)
    with open_output(Path("/dev/null")) as stream:
        stream.write(b"text")
    assert Path("/dev/null").is_char_device()
    assert not list(Path("/dev").glob("*.partial"))


def test_a_fifo_is_written_through(tmp_path: Path) -> None:
    path, received = tmp_path / "fifo", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: received.append(path.read_bytes()), daemon=True)
    reader.start()
    with open_output(path) as stream:
        stream.write(b"text")
    reader.join(timeout=PATIENCE)
    assert received == [b"text"]
    assert path.is_fifo()


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    with open_output(link) as stream:
        stream.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("path", [None, Path("-")])
def test_stdout_is_an_output(path: Path | None, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with open_output(path) as stream:
        stream.write(b"text\n")
        stream.flush()
    assert capfdbinary.readouterr().out == b"text\n"


def test_an_existing_output_needs_force(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    with pytest.raises(DataError, match=rf"{path} exists already.*--force"):
        refuse_to_overwrite(path, force=False)
    refuse_to_overwrite(path, force=True)
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("force", [False, True])
def test_an_output_needs_its_directory(tmp_path: Path, force: bool) -> None:
    with pytest.raises(DataError, match="Create it first"):
        refuse_to_overwrite(tmp_path / "no" / "out", force)
    with pytest.raises(DataError, match="is a directory"):
        refuse_to_overwrite(tmp_path, force)


@pytest.mark.parametrize("path", [None, Path("-"), Path("/dev/null"), Path("new")])
def test_outputs_that_overwrite_nothing_need_no_force(path: Path | None) -> None:
    refuse_to_overwrite(path, force=False)
