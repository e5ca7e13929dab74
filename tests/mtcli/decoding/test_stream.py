"""Lines and results between threads: in order, nothing lost, nobody kept waiting, everything stopped at the end."""

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcli.decoding.scheduler import Scheduler
from mtcli.decoding.stream import Closed, Flow
from mtcli.errors import DataError

PATIENCE = 20.0  # seconds after which a test that hangs fails instead
Shouting = Flow[str, str, str]


def sentence(line: str) -> tuple[str, list[tuple[int, ...]]]:
    return line, [tuple(map(ord, line))] if line else []


def decode(flow: Shouting, batch: int = 3) -> None:
    """Upper-case what there is, until the end."""
    try:
        while tasks := flow.take(batch, 10**6, live=0, longest=0):
            flow.finish([(task, "".join(map(chr, task.source)).upper()) for task in tasks])
    except Closed:
        pass


@contextmanager
def started(lines: Iterable[str], *, workers: int = 2, hurry: bool = False) -> Iterator[Shouting]:
    flow: Shouting = Flow(Scheduler(lambda length: 9), workers, hurry=hurry)
    threads = [threading.Thread(target=decode, args=(flow,)) for _ in range(workers)]
    reader = threading.Thread(target=flow.read, args=(lines,), daemon=True)
    for thread in (*threads, reader):
        thread.start()
    try:
        yield flow
    finally:
        flow.close()
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def shout(lines: Iterable[str], **how: bool) -> list[str]:
    with started(lines, **how) as flow:  # type: ignore[arg-type]
        return [(results or [""])[0] for _, results in flow.results(sentence)]


@given(st.lists(st.text(st.sampled_from("abc"), max_size=3), max_size=40), st.booleans())
def test_lines_come_out_in_order_and_none_is_lost(lines: list[str], hurry: bool) -> None:
    assert shout(lines, hurry=hurry) == [line.upper() for line in lines]


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
            assert answered.acquire(timeout=PATIENCE)  # as a user who reads the translation before writing on

    with started(producer(), hurry=hurry) as flow:
        for number, (line, results) in enumerate(flow.results(sentence)):
            assert (line, results) == (f"line {number}", [f"LINE {number}"])
            answered.release()
    assert number == 19


def test_reading_ahead_is_bounded() -> None:
    taken = 0

    def producer() -> Iterator[str]:
        nonlocal taken
        for taken in range(1, 10**9):
            yield str(taken)

    with started(producer()) as flow:
        results = flow.results(sentence)
        assert next(results)[1] == ["1"]
        time.sleep(0.3)
        assert taken < 20_000


def test_an_error_of_the_reader_comes_after_the_lines_before_it() -> None:
    def producer() -> Iterator[str]:
        yield from ["a", "b"]
        raise DataError("line 3 is bad")

    seen = []
    with started(producer()) as flow, pytest.raises(DataError, match="line 3"):
        seen += [results for _, results in flow.results(sentence)]
    with started(producer()) as flow:
        results = flow.results(sentence)
        assert [next(results)[1], next(results)[1]] == [["A"], ["B"]]


def test_an_error_of_decoding_reaches_the_caller() -> None:
    flow: Shouting = Flow(Scheduler(lambda length: 9), 1, hurry=False)
    flow.read(["a"])
    flow.fail(MemoryError("none left"))
    with pytest.raises(MemoryError, match="none left"):
        list(flow.results(sentence))
    with pytest.raises(Closed):
        flow.take(1, 9, live=0, longest=0)


def test_closing_stops_a_reader_and_a_decoder_that_wait() -> None:
    with started(iter(lambda: time.sleep(0.01) or "x", None)) as flow:  # for ever
        next(flow.results(sentence))


def test_sentences_are_shared_among_the_threads() -> None:
    flow: Shouting = Flow(Scheduler(lambda length: 9), 2, hurry=True)
    flow.read(f"{number}" for number in range(64))
    lines = threading.Thread(target=lambda: list(flow.results(sentence)), daemon=True)
    lines.start()
    first = flow.take(100, 10**6, live=0, longest=0)
    assert len(first) == 32
    assert len(flow.take(100, 10**6, live=0, longest=0)) == 16
    flow.close()


def test_sentences_given_back_are_the_next() -> None:
    flow: Shouting = Flow(Scheduler(lambda length: 9), 1, hurry=False)
    flow.read(["a", "b"])
    results = flow.results(sentence)
    caller = threading.Thread(target=lambda: seen.extend(results), daemon=True)
    seen: list[object] = []
    caller.start()
    tasks = flow.take(9, 99, live=0, longest=0)
    flow.give_back(tasks)
    assert flow.take(9, 99, live=0, longest=0) == tasks
    flow.finish([(task, "done") for task in tasks])
    caller.join(PATIENCE)
    assert seen == [("a", ["done"]), ("b", ["done"])]
