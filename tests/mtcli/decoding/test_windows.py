"""Lines between threads: in order, nothing lost, nobody kept waiting, everything stopped at the end."""

import itertools
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcli.decoding.search import Sentence
from mtcli.decoding.stream import Stream
from mtcli.decoding.windows import LOOK_AHEAD, Windows, in_order
from mtcli.errors import DataError


def prepare(line: str) -> tuple[str, list[Sentence]]:
    return line, [Sentence(tuple(map(ord, line)), 9)] if line else []


def decode(stream: Stream[str]) -> None:
    """Upper-case what there is, until the end."""
    while (tasks := stream.take(3, 10**6, live=0, longest=0)) is not None:
        stream.finish([(task, "".join(map(chr, task.source)).upper()) for task in tasks])


@contextmanager
def shouting(lines: Iterable[str], *, hurry: bool = False) -> Iterator[Iterator[str]]:
    """The lines in upper case, by two threads, which must have ended when the block has."""
    stream: Stream[str] = Stream(2)
    with stream.open() as call:
        threads = [threading.Thread(target=decode, args=(stream,), daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
        windows = Windows(lines, call, hurry=hurry)
        found = in_order(call, windows, lambda some: [prepare(line) for line in some])
        yield ((results or [""])[0] for lines in found for _, results in lines)
        windows.close()
    for thread in threads:
        thread.join()


def shout(lines: Iterable[str], *, hurry: bool = False) -> list[str]:
    with shouting(lines, hurry=hurry) as found:
        return list(found)


@given(st.lists(st.text(st.sampled_from("abc"), max_size=3), max_size=40), st.booleans(), st.booleans())
def test_lines_come_out_in_order_and_none_is_lost(lines: list[str], hurry: bool, at_once: bool) -> None:
    assert shout(lines if at_once else iter(lines), hurry=hurry) == [line.upper() for line in lines]


def test_many_lines_through_many_windows() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        assert shout(f"x{number}" for number in range(9000)) == [f"X{number}" for number in range(9000)]
    finally:
        sys.setswitchinterval(before)


@pytest.mark.parametrize("hurry", [True, False])
def test_a_producer_that_waits_for_its_answer_gets_it(hurry: bool) -> None:
    answered = threading.Semaphore(0)

    def producer() -> Iterator[str]:
        for number in range(20):
            yield f"line {number}"
            answered.acquire()  # as a user who reads the translation before writing on

    count = 0
    with shouting(producer(), hurry=hurry) as found:
        for count, line in enumerate(found, start=1):
            assert line == f"LINE {count - 1}"
            answered.release()
    assert count == 20


def test_reading_ahead_is_bounded() -> None:
    taken = 0

    def producer() -> Iterator[str]:
        nonlocal taken
        for taken in range(1, 10**9):
            yield str(taken)

    with shouting(producer()) as found:
        for number in range(1, 3 * LOOK_AHEAD):
            assert next(found) == str(number)
            assert taken <= number + 5 * LOOK_AHEAD


def test_an_error_of_the_reader_comes_after_the_lines_before_it() -> None:
    def producer() -> Iterator[str]:
        yield from ["a", "b"]
        raise DataError("line 3 is bad")

    with shouting(producer()) as found:
        assert [next(found), next(found)] == ["A", "B"]
        with pytest.raises(DataError, match="line 3"):
            next(found)


def test_closing_stops_a_reader_and_threads_that_wait() -> None:
    with shouting(itertools.repeat("x")) as found:  # for ever
        next(found)
