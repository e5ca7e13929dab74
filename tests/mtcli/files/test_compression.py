"""Compressed files, read and written."""

import bz2
import errno
import gzip
import lzma
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mtcli.data.corpus import ParallelCorpus
from mtcli.errors import DataError
from mtcli.files import compress_file, open_binary, open_output, raw_lines, read_lines, refuse_to_overwrite

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


@pytest.fixture(params=[".gz", ".bz2", ".xz", ".zst"])
def compression(request: pytest.FixtureRequest) -> str:
    if request.param == ".zst":
        pytest.importorskip("zstandard", reason="the package for Zstandard is not installed")
    return str(request.param)


def compressed(content: bytes, suffix: str) -> bytes:
    if suffix == ".zst":
        import zstandard

        return bytes(zstandard.compress(content))
    return COMPRESS[suffix](content)


@pytest.mark.parametrize("name", ["text", "text.txt", "TEXT.GZ", "text.bz2", "text.zst"])
def test_what_a_file_begins_with_says_how_it_is_compressed(tmp_path: Path, compression: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(compressed("grün\n나는\n".encode(), compression))
    assert list(read_lines(path)) == ["grün", "나는"]


@pytest.mark.parametrize("padding", [b"", b"\x00" * 512])
def test_all_parts_of_a_compressed_file_are_read(tmp_path: Path, compression: str, padding: bytes) -> None:
    path = tmp_path / "text"
    lines = [f"line {number}" for number in range(20_000)]
    halves = ("".join(line + "\n" for line in half).encode() for half in (lines[:9000], lines[9000:]))
    path.write_bytes(b"".join(compressed(half, compression) for half in halves) + padding)
    assert list(read_lines(path)) == lines


@pytest.mark.parametrize("behind", [b"garbage\n", os.urandom(3000)])
def test_garbage_behind_compressed_bytes_is_an_error(tmp_path: Path, compression: str, behind: bytes) -> None:
    path = tmp_path / f"text{compression}"
    path.write_bytes(compressed(b"line\n", compression) + b"\x01" + behind)
    with pytest.raises(DataError, match=rf"^{path} is not a whole {compression} file: .*compress it again\.$"):
        raw_lines_of(path)


def test_no_bytes_are_no_compressed_file(tmp_path: Path, compression: str) -> None:
    path = tmp_path / f"text{compression}"
    path.write_bytes(b"")
    with pytest.raises(DataError, match=rf"{path} is not a whole {compression} file: it is empty"):
        raw_lines_of(path)


def test_nothing_compressed_has_no_lines(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "text"
    path.write_bytes(compressed(b"", compression))
    assert raw_lines_of(path) == []


def damaged(content: bytes, suffix: str, how: str) -> bytes:
    whole = compressed(content, suffix)
    return {"cut": whole[:-20], "garbage": whole + b"garbage", "plain": content, "empty": b""}[how]


@pytest.mark.parametrize("how", ["cut", "garbage", "plain", "empty"])
@pytest.mark.parametrize("bad", [0, 1])
@pytest.mark.parametrize("sound", ["", ".gz", ".xz"])
def test_the_file_that_is_damaged_is_blamed(tmp_path: Path, compression: str, how: str, bad: int, sound: str) -> None:
    content = b"".join(b"%d\n" % number for number in range(30_000))
    paths = [tmp_path / f"a{sound}", tmp_path / f"b{sound}"]
    for path in paths:
        path.write_bytes(compressed(content, sound) if sound else content)
    paths[bad] = tmp_path / f"bad{compression}"
    paths[bad].write_bytes(damaged(content, compression, how))
    with pytest.raises(DataError, match=rf"^{paths[bad]} is not a whole {compression} file: "):
        for _ in ParallelCorpus(((paths[0], paths[1]),)):
            pass


def test_an_error_of_the_system_is_of_the_file_that_it_met(tmp_path: Path) -> None:
    sound = tmp_path / "sound"
    sound.write_bytes(b"line\n")
    with pytest.raises(OSError, match="another"), open_binary(sound):
        raise OSError(errno.EIO, "another file's")


@pytest.mark.parametrize("name", ["text.zst", "text"])
def test_without_its_package_zstandard_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x28\xb5\x2f\xfd and so on")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(DataError, match=rf"{path} is compressed with Zstandard.*pip install zstandard"):
        raw_lines_of(path)
    with pytest.raises(DataError, match=r"out\.zst would be compressed with Zstandard.*pip install zstandard"):
        refuse_to_overwrite(tmp_path / "out.zst", force=False)


@pytest.mark.parametrize("name", ["out.GZ", "out.zst"])
def test_outputs_are_compressed_as_their_names_say(tmp_path: Path, name: str) -> None:
    if name == "out.zst":
        pytest.importorskip("zstandard", reason="the package for Zstandard is not installed")
    path = tmp_path / name
    with open_output(path) as stream:
        stream.write(b"text\n")
    assert path.read_bytes()[:2] != b"te"
    assert raw_lines_of(path) == [b"text"]
