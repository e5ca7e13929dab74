"""Work shared among processes: results in order, errors told, nobody left behind."""

import multiprocessing
import os
from collections.abc import Iterator

import pytest
from support.jobs import Dying, Large, Refusing, Squares

from mtcli.data.processes import in_order
from mtcli.errors import DataError, MtcliError


@pytest.mark.parametrize("num_processes", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_results_come_in_order(num_processes: int, count: int) -> None:
    results = [square for square, _ in in_order(Squares(), range(count), num_processes)]
    assert results == [number * number for number in range(count)]
    assert not multiprocessing.active_children()


def test_a_short_stream_stays_in_this_process() -> None:
    workers = {process for _, process in in_order(Squares(), range(5), 2, alone=5)}
    assert workers == {os.getpid()}


def test_a_longer_stream_goes_to_all_others() -> None:
    workers = [process for _, process in in_order(Squares(), range(9), 2, alone=5)]
    assert workers[:5] == [os.getpid()] * 5
    assert len({*workers[5:]} - {os.getpid()}) == 2


def test_tasks_and_results_may_be_large() -> None:
    tasks = [bytes([letter]) * (1 << 21) for letter in b"abcdefg"]
    assert list(in_order(Large(), tasks, 2)) == [task.upper() for task in tasks]


@pytest.mark.parametrize("num_processes", [1, 2])
def test_an_error_is_raised_in_its_place(num_processes: int) -> None:
    done: list[int] = []
    with pytest.raises(DataError, match=r"file:3: refused\."):
        done.extend(in_order(Refusing(3), range(10), num_processes))
    assert done == [0, 1, 2]
    assert not multiprocessing.active_children()


def test_a_process_that_dies_is_an_error_in_a_sentence() -> None:
    with pytest.raises(MtcliError, match=r"died \(exit code -9.*OMP_NUM_THREADS=1"):
        list(in_order(Dying(), range(10), 2))
    assert not multiprocessing.active_children()


def test_an_error_of_the_stream_ends_the_processes() -> None:
    def broken() -> Iterator[int]:
        yield from range(4)
        raise DataError("the stream broke")

    with pytest.raises(DataError, match="the stream broke"):
        list(in_order(Squares(), broken(), 2))
    assert not multiprocessing.active_children()


def test_processes_end_with_whoever_wanted_the_results() -> None:
    results = in_order(Squares(), range(100), 2)
    next(results)
    assert len(multiprocessing.active_children()) == 2
    results.close()
    assert not multiprocessing.active_children()
