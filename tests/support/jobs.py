"""Jobs for other processes, which import them by name."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from mtcli.errors import DataError


@dataclass(frozen=True)
class Squares:
    """Squares numbers, small ones slowly; tells in which process."""

    def begin(self) -> Callable[[int], tuple[int, int]]:
        return self._square

    def _square(self, number: int) -> tuple[int, int]:
        time.sleep(0.002 * max(0, 5 - number))
        return number * number, os.getpid()


@dataclass(frozen=True)
class Refusing:
    """Does not work on one number."""

    refused: int

    def begin(self) -> Callable[[int], int]:
        return self._work

    def _work(self, number: int) -> int:
        if number == self.refused:
            raise DataError(f"file:{number}: refused.")
        return number


@dataclass(frozen=True)
class Dying:
    """Is killed at its first task."""

    def begin(self) -> Callable[[int], int]:
        return self._die

    def _die(self, number: int) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return number


@dataclass(frozen=True)
class Large:
    """Answers a large task with a large result: more than fits into a pipe."""

    def begin(self) -> Callable[[bytes], bytes]:
        return bytes.swapcase
