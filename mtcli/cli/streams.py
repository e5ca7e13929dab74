"""The three standard streams: UTF-8 whatever the locale, and something in the place of those the caller closed."""

import io
import os
import sys
from typing import BinaryIO, NoReturn

from mtcli.cli.errors import printable
from mtcli.errors import DataError


class ClosedOutput(io.TextIOBase):
    """Stand where standard output was closed (`>&-`): whoever needs it is told, whoever does not goes on."""

    def write(self, text: str) -> NoReturn:
        raise DataError("Standard output is closed. Send it somewhere (> FILE), or name an output with -o.")

    @property
    def buffer(self) -> BinaryIO:
        self.write("")


def prepare_streams() -> None:
    """Make the streams fit for a command; called once, before anything is opened."""
    _occupy_closed_descriptors()
    if sys.stdout is None:
        sys.stdout = ClosedOutput()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 (until the end of the process)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _occupy_closed_descriptors() -> None:
    """Else the next file opened gets the number of a closed stream, and what a library prints goes into it."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def say(sentence: str, quiet: bool = False) -> None:
    """Tell the user something on stderr."""
    if not quiet:
        print(printable(sentence), file=sys.stderr)
