"""Timing's bookkeeping, on a CPU."""

import contextlib
from collections.abc import Iterator

import pytest

from mtcli.bench.contest import timing
from mtcli.bench.contest.timing import FEWEST, Stopwatch, Timed


def test_contestants_take_turns_and_find_everything_put_back() -> None:
    log: list[str] = []
    calls = [Timed(name, lambda name=name: log.append(name)) for name in "ab"]
    timings = Stopwatch("cpu").in_turn(calls, seconds=0.0, before=lambda: log.append("-"))
    assert timings["a"].repeats == timings["b"].repeats == FEWEST
    assert log[-8:] == ["-", "a", "-", "b", "-", "b", "-", "a"]
    assert log.count("-") == log.count("a") + log.count("b")


def test_what_a_call_needs_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    @contextlib.contextmanager
    def slow() -> Iterator[None]:
        clock[0] += 5.0
        yield
        clock[0] += 5.0

    def call() -> None:
        clock[0] += 1e-3

    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock[0])
    found = Stopwatch("cpu").in_turn([Timed("", call, slow)], seconds=0.0, most=2)[""]
    assert (found.median, found.repeats) == (pytest.approx(1000.0), 2)


def test_a_graph_cycles_over_its_inputs() -> None:
    log: list[int] = []
    found = Stopwatch("cpu").in_a_graph([lambda i=i: log.append(i) for i in range(3)], seconds=0.0, launches=5)
    assert log[:10] == [0, 1, 2, 0, 1] * 2
    assert found.repeats == FEWEST


def test_a_rehearsal_calls_as_little_as_it_can() -> None:
    calls: list[int] = []
    Stopwatch("cpu", rehearsal=True).in_turn([Timed("", lambda: calls.append(0))], seconds=100.0)
    assert len(calls) == 1
