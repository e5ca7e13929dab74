"""What is said of a file that could not be used."""

import errno
from pathlib import Path

import pytest

from mtcli.files import (
    file_error,
)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PermissionError(), "Cannot read f: permission denied."),
        (OSError(errno.EIO, "Input/output error"), "Cannot read f: Input/output error."),
    ],
)
def test_errors_of_the_system_are_sentences(error: OSError, sentence: str) -> None:
    assert str(file_error(Path("f"), error, "read")) == sentence
