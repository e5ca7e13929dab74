"""Timing's bookkeeping, on a CPU."""

import contextlib
import time
from collections.abc import Iterator

from mtcli.bench.contest.timing import FEWEST, Stopwatch, Timed, Timing


def test_median_and_fifths() -> None:
    timing = Timing.of([10.0, 30.0, 20.0, 50.0, 40.0, 60.0])
    assert timing == Timing(median=35.0, p20=20.0, p80=50.0, repeats=6)
    assert Timing.of([40.0], calls=20).median == 2.0


def test_contestants_take_turns_and_find_everything_put_back() -> None:
    log: list[str] = []
    watch = Stopwatch("cpu")
    contestants = {name: Timed(lambda name=name: log.append(name)) for name in "ab"}
    timings = watch.in_turn(contestants, seconds=0.0, before=lambda: log.append("-"))
    assert timings["a"].repeats == timings["b"].repeats == FEWEST
    assert log[-8:] == ["-", "a", "-", "b"] * 2
    assert log.count("-") == log.count("a") + log.count("b")


def test_what_a_call_needs_is_not_timed() -> None:
    @contextlib.contextmanager
    def slow() -> Iterator[None]:
        time.sleep(0.02)
        yield
        time.sleep(0.02)

    watch = Stopwatch("cpu")
    timing = watch.in_turn({"": Timed(lambda: None, slow)}, seconds=0.0, before=lambda: time.sleep(0.01), most=2)[""]
    assert timing.median < 5000
    assert timing.repeats == 2


def test_a_graph_cycles_over_its_inputs() -> None:
    log: list[int] = []
    timing = Stopwatch("cpu").in_a_graph([lambda i=i: log.append(i) for i in range(3)], seconds=0.0, launches=5)
    assert log[:10] == [0, 1, 2, 0, 1] * 2
    assert timing.repeats == FEWEST


def test_a_rehearsal_calls_as_little_as_it_can() -> None:
    calls: list[int] = []
    Stopwatch("cpu", rehearsal=True).in_turn({"": Timed(lambda: calls.append(0))}, seconds=100.0)
    assert len(calls) == 1
