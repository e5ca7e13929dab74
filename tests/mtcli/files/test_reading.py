"""Reading files: lines, encodings, what cannot be read."""

import io
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcli.errors import DataError
from mtcli.files import (
    decode_line,
    raw_lines,
    read_lines,
)


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
