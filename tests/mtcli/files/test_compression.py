"""Compressed files, read and written."""

import bz2
import gzip
import lzma
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mtcli.errors import DataError
from mtcli.files import (
    compress_file,
    open_binary,
    open_output,
    raw_lines,
    read_lines,
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
