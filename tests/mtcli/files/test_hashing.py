"""Hashes of what files hold."""

import os
from pathlib import Path

import pytest

from mtcli.errors import DataError
from mtcli.files import (
    Fingerprint,
    content_hash,
)


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
