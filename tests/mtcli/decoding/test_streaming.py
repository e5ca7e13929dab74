"""Windows of lines as they arrive: in order, nothing lost, nobody kept waiting."""

import sys
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcli.decoding.streaming import arriving_windows
from mtcli.errors import DataError

PATIENCE = 20.0  # seconds after which a test that hangs fails instead


@given(st.lists(st.text(max_size=3), max_size=40), st.integers(1, 12))
def test_lines_arrive_in_order_and_none_is_lost(lines: list[str], size: int) -> None:
    windows = list(arriving_windows(lines, size))
    assert [line for window in windows for line in window] == lines
    assert all(1 <= len(window) <= size for window in windows)


def test_a_reader_that_is_faster_makes_no_larger_window() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        windows = list(arriving_windows(map(str, range(3000)), 2))
    finally:
        sys.setswitchinterval(before)
    assert max(map(len, windows)) <= 2
    assert sum(map(len, windows)) == 3000


def test_no_line_makes_no_window() -> None:
    assert list(arriving_windows([], 5)) == []


def test_a_producer_that_waits_is_not_waited_for() -> None:
    answered = threading.Semaphore(0)

    def producer() -> Iterator[str]:
        for number in range(30):
            yield str(number)
            answered.acquire(timeout=PATIENCE)  # as a user who reads the translation before writing on

    began = time.monotonic()
    for number, window in enumerate(arriving_windows(producer(), 100)):
        assert window == [str(number)]
        answered.release()
    assert time.monotonic() - began < PATIENCE


def test_lines_that_are_there_share_a_window() -> None:
    go_on, three_are_there = threading.Event(), threading.Event()

    def producer() -> Iterator[str]:
        yield "first"
        go_on.wait(PATIENCE)
        yield from "abc"
        three_are_there.set()
        yield "d"

    windows = arriving_windows(producer(), 3)
    assert next(windows) == ["first"]
    go_on.set()
    assert three_are_there.wait(PATIENCE)
    assert list(windows) == [["a", "b", "c"], ["d"]]


def test_reading_ahead_is_bounded() -> None:
    taken = 0

    def producer() -> Iterator[str]:
        nonlocal taken
        for taken in range(1, 100_000):
            yield str(taken)

    window = next(arriving_windows(producer(), 5))
    time.sleep(0.1)
    assert taken <= len(window) + 5 + 1


def test_an_error_comes_after_the_lines_before_it() -> None:
    def producer() -> Iterator[str]:
        yield from "abcde"
        raise DataError("line 6 is not UTF-8")

    received: list[str] = []
    with pytest.raises(DataError, match="line 6"):
        for window in arriving_windows(producer(), 2):
            received += window
    assert received == list("abcde")


def test_an_error_before_any_line_is_raised() -> None:
    def producer() -> Iterator[str]:
        raise DataError("no such file")
        yield ""

    with pytest.raises(DataError, match="no such file"):
        next(arriving_windows(producer(), 2))


def test_the_first_window_is_small_where_somebody_waits() -> None:
    ready = threading.Event()

    def lines() -> Iterator[int]:
        yield from range(100)
        ready.set()

    sizes = []
    for window in arriving_windows(lines(), 200, first=4):
        ready.wait(PATIENCE)
        sizes.append(len(window))
    assert sizes[0] <= 4
    assert all(size <= 4 * 2**place for place, size in enumerate(sizes))
    assert sum(sizes) == 100
