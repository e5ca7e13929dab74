"""Reading and writing files: lines, encodings, compression, outputs that are whole or absent."""

import bz2
import errno
import gzip
import io
import lzma
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.patience import PATIENCE

from mtcli import files
from mtcli.errors import DataError
from mtcli.files import (
    Fingerprint,
    atomic_path,
    compress_file,
    content_hash,
    decode_line,
    file_error,
    is_awaited,
    lock_file,
    open_binary,
    open_locked,
    open_output,
    raw_lines,
    read_lines,
    refuse_to_overwrite,
    write_atomically,
)

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
suffixes = pytest.mark.parametrize("suffix", COMPRESS)


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def raw_lines_of(path: Path) -> list[bytes]:
    with open_binary(path) as stream:
        return list(raw_lines(stream))


def pipe_stdin(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_only_newline_ends_a_line(tmp_path: Path) -> None:
    path = tmp_path / "text"
    inside = "a\u2028b\u2029c\u0085d\x0ce\x0bf\x1cg\x1dh\x1ei\x00j\rk"
    path.write_bytes(f"{inside}\nnext\n".encode())
    assert list(read_lines(path)) == [inside, "next"]


def test_a_final_carriage_return_is_stripped(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"one\r\n\r\ntwo\r\r\nthree\r")
    assert list(read_lines(path)) == ["one", "", "two\r", "three"]


@pytest.mark.parametrize(
    ("content", "lines"),
    [(b"", []), (b"\n", [""]), (b"a", ["a"]), (b"a\n", ["a"]), (b"\n\na", ["", "", "a"]), (b"a\n\n", ["a", ""])],
)
def test_lines_are_counted_as_wc_does_plus_an_unended_one(tmp_path: Path, content: bytes, lines: list[str]) -> None:
    path = tmp_path / "text"
    path.write_bytes(content)
    assert list(read_lines(path)) == lines


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=20)))
def test_written_lines_are_read_back(lines: list[str]) -> None:
    stream = io.BytesIO("".join(line + "\n" for line in lines).encode())
    read = [decode_line(raw, Path("text"), number) for number, raw in enumerate(raw_lines(stream), start=1)]
    assert read == [line.removesuffix("\r") for line in lines]


@suffixes
def test_compressed_files_are_read_by_suffix(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"text{suffix}"
    path.write_bytes(COMPRESS[suffix]("grün\n나는\n".encode()))
    assert list(read_lines(path)) == ["grün", "나는"]


@suffixes
def test_compressed_outputs_are_written_by_suffix(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"text{suffix}"
    with open_output(path) as stream:
        stream.write("grün\n".encode())
    decompress = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}[suffix]
    assert decompress(path.read_bytes()).decode() == "grün\n"
    assert names_in(tmp_path) == [path.name]


@suffixes
def test_equal_content_is_compressed_to_equal_bytes(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"a line\n" * 100_000
    (tmp_path / "plain").write_bytes(content)
    first, second, third = (tmp_path / f"{name}{suffix}" for name in "abc")
    with open_output(first) as stream:
        stream.write(content)
    monkeypatch.setattr(time, "time", lambda: 1e9)
    with open_output(second) as stream:
        stream.write(content[:1000])
        stream.write(content[1000:])
    compress_file(tmp_path / "plain", third, suffix)
    assert len({path.read_bytes() for path in (first, second, third)}) == 1
    assert b"".join(line + b"\n" for line in raw_lines_of(first)) == content


@suffixes
def test_a_truncated_compressed_file_is_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"text{suffix}"
    path.write_bytes(COMPRESS[suffix](os.urandom(5000))[:-50])
    with pytest.raises(DataError, match=rf"{path} is not a whole {suffix} file"):
        list(raw_lines_of(path))


@suffixes
@pytest.mark.parametrize("place", [10, 1000])
def test_a_damaged_compressed_file_is_named(tmp_path: Path, suffix: str, place: int) -> None:
    path = tmp_path / f"text{suffix}"
    content = bytearray(COMPRESS[suffix](b"".join(b"line %d\n" % number for number in range(5000))))
    content[place : place + 40] = b"\xff" * 40
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"{path} is not a whole {suffix} file"):
        list(raw_lines_of(path))


@suffixes
def test_plain_text_under_a_compressed_name_is_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"text{suffix}"
    path.write_bytes(b"plain text\n")
    with pytest.raises(DataError, match=rf"{path} is not a whole {suffix} file"):
        list(read_lines(path))


def test_invalid_utf8_names_file_line_and_byte(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"fine\nna\xefve\nfine\n")
    with pytest.raises(DataError, match=rf"{path}:2: byte 3 of the line \(0xef\)"):
        list(read_lines(path))


def test_lines_before_invalid_utf8_are_read(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"fine\n\xff\n")
    assert next(read_lines(path)) == "fine"


def test_a_surrogate_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"\xed\xa0\x80\n")
    with pytest.raises(DataError, match=r":1: byte 1"):
        list(read_lines(path))


def test_a_dash_is_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe_stdin(monkeypatch, "grün\r\na\u2028b\n".encode())
    assert list(read_lines(Path("-"))) == ["grün", "a\u2028b"]


def test_invalid_utf8_on_stdin_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe_stdin(monkeypatch, b"a\n\xff\n")
    with pytest.raises(DataError, match="<stdin>:2:"):
        list(read_lines(Path("-")))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"{tmp_path}/nothing does not exist"):
        list(read_lines(tmp_path / "nothing"))


def test_a_directory_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"{tmp_path}: it is a directory"):
        list(read_lines(tmp_path))


def test_the_hash_is_of_the_content(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in "abc")
    first.write_bytes(b"one")
    second.write_bytes(b"one")
    third.write_bytes(b"two")
    assert content_hash(first) == content_hash(second) != content_hash(third)


def test_the_hash_of_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        content_hash(tmp_path / "nothing")


def test_a_fingerprint_is_the_hash_of_what_is_there_so_far(tmp_path: Path) -> None:
    path, part = tmp_path / "grows", tmp_path / "part"
    fingerprint, content = Fingerprint(path), os.urandom(3_000_000)
    part.write_bytes(b"")
    assert fingerprint.up_to(0) == content_hash(part)
    assert fingerprint.up_to(5) is None
    for length in (5, 5, 2_500_000, 3_000_000):
        path.write_bytes(content[: length + 7])
        part.write_bytes(content[:length])
        assert fingerprint.up_to(length) == content_hash(part)
    assert fingerprint.up_to(3_000_001) is None


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
    lock = files.lock_file

    def lock_too_late(stream: IO[bytes]) -> bool:
        if fresh.exists():
            fresh.replace(path)
        return lock(stream)

    monkeypatch.setattr(files, "lock_file", lock_too_late)
    stream = open_locked(path)
    assert stream is not None
    assert os.path.samestat(os.fstat(stream.fileno()), path.stat())
    assert path.read_bytes() == b"fresh"
    stream.close()


def test_where_there_are_no_locks_everybody_is_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "fcntl", None)
    with (tmp_path / "file").open("wb") as first, (tmp_path / "file").open("ab") as second:
        assert lock_file(first) and lock_file(second)


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


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PermissionError(), "Cannot read f: permission denied."),
        (OSError(errno.EIO, "Input/output error"), "Cannot read f: Input/output error."),
    ],
)
def test_errors_of_the_system_are_sentences(error: OSError, sentence: str) -> None:
    assert str(file_error(Path("f"), error, "read")) == sentence
