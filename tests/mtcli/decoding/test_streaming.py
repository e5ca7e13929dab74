"""Reading ahead: whatever is there, in order, and never waiting for more."""

import queue
import threading
from collections.abc import Iterator

import pytest

from mtcli.decoding.streaming import arriving_windows


def test_a_waiting_reader_is_answered_line_by_line() -> None:
    typed: queue.Queue[str | None] = queue.Queue()
    windows = arriving_windows(iter(typed.get, None), 10)
    for line in ("one", "", "three"):
        typed.put(line)
        assert next(windows) == [line]
    typed.put(None)
    assert list(windows) == []


def test_lines_keep_their_order_and_windows_their_size() -> None:
    windows = list(arriving_windows(range(1000), 64))
    assert [line for window in windows for line in window] == list(range(1000))
    assert all(1 <= len(window) <= 64 for window in windows)


def test_the_first_window_is_small_where_somebody_waits() -> None:
    ready = threading.Event()

    def lines() -> Iterator[int]:
        yield from range(100)
        ready.set()

    windows = arriving_windows(lines(), 200, first=4)
    sizes = []
    for window in windows:
        ready.wait(10)
        sizes.append(len(window))
    assert sizes[0] <= 4
    assert all(size <= 4 * 2**place for place, size in enumerate(sizes))
    assert sum(sizes) == 100


def test_an_error_comes_after_the_lines_before_it() -> None:
    def lines() -> Iterator[str]:
        yield from ("one", "two")
        raise ValueError("broken")

    seen: list[str] = []
    with pytest.raises(ValueError, match="broken"):
        for window in arriving_windows(lines(), 10):
            seen += window
    assert seen == ["one", "two"]
