"""Contests: turns, finalists, failures, checks, time, and ratios within rounds."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from mtcli.bench.contest import Check, Contest, ContestantError, Figure, Series, finalists


@dataclass(frozen=True)
class Runner:
    """A contestant whose figures are made up."""

    name: str
    rates: tuple[float, ...] = (1.0,)
    kind: str = ""


def contest(*runners: Runner, order: list[str] | None = None, **options: object) -> Contest[Runner]:
    """A contest in which each runner's figures come up in turn."""
    sources: dict[str, Iterator[float]] = {one.name: iter(one.rates * 9) for one in runners}

    def measure(one: Runner) -> float:
        if order is not None:
            order.append(one.name)
        return next(sources[one.name])

    return Contest(runners, options.pop("measure", measure), **options)  # type: ignore[arg-type]


def test_every_other_round_is_backwards() -> None:
    order: list[str] = []
    contest(Runner("a"), Runner("b"), Runner("c"), order=order).rounds(3)
    assert "".join(order) == "abccbaabc"


def test_behind_the_first_round_only_the_best_of_each_kind_run() -> None:
    order: list[str] = []
    slow, fast, other = Runner("slow", (1.0,), "x"), Runner("fast", (2.0,), "x"), Runner("other", (0.1,), "y")
    found = contest(slow, fast, other, order=order)
    found.rounds(2, finalists_only=True)
    assert order == ["slow", "fast", "other", "other", "fast"]
    assert found["slow"].as_json()["rounds"] == [1.0, None]
    assert [one.name for one in finalists(found.series, min)] == ["slow", "other"]


def test_ratios_are_taken_within_the_rounds_that_both_ran() -> None:
    reference = Series(contestant=Runner("a"), figures={0: 10.0, 1: 20.0, 2: 40.0})
    other = Series(contestant=Runner("b"), figures={1: 10.0, 2: 10.0}, num_rounds=3)
    assert other.ratio(reference) == (0.5 + 0.25) / 2
    row = other.as_json(reference)
    assert row["rounds"] == [None, 10.0, 10.0] and (row["status"], row["ratio"]) == ("right", 0.375)


@pytest.mark.parametrize(("passed", "status"), [(False, "wrong"), (None, "cannot run")])
def test_what_fails_a_check_gets_no_figure(passed: bool | None, status: str) -> None:
    found = contest(Runner("right"), Runner("bad"))
    found.check(lambda one: [Check(what="the sum", passed=True if one.name == "right" else passed, detail="is 3.")])
    found.rounds(2)
    assert (found["bad"].status, found["bad"].why, found["bad"].taken) == (status, "the sum: is 3", [])
    assert found["bad"].as_json(found["right"])["ratio"] is None
    assert found["right"].status == "right" and len(found.checks) == 2


def test_a_check_that_is_shared_is_told_once() -> None:
    found = contest(Runner("a"), Runner("b"))
    found.check(lambda one: [Check(what="the sum", passed=True, detail="is 2")])
    assert len(found.checks) == 1


def test_who_fails_takes_no_part_any_more() -> None:
    calls: list[str] = []

    def measure(one: Runner) -> float:
        calls.append(one.name)
        if one.name == "b" and calls.count("b") == 2:
            raise ContestantError("its process ended")
        return 1.0

    found = contest(Runner("a"), Runner("b"), measure=measure)
    found.rounds(3)
    assert calls == ["a", "b", "b", "a", "a"]
    assert found["b"].as_json()["rounds"] == [1.0, None, None]
    assert (found["b"].status, found["b"].why) == ("cannot run", "its process ended")


def test_what_turns_out_wrong_loses_its_figures() -> None:
    def measure(one: Runner) -> float:
        if one.name == "b" and found.num_rounds == 2:
            raise ContestantError("other tokens", "wrong")
        return 1.0

    found: Contest[Runner] = contest(Runner("a"), Runner("b"), measure=measure)
    found.rounds(2)
    assert (found["b"].status, found["b"].taken, found["b"].ratio(found["a"])) == ("wrong", [], None)


def test_other_errors_are_not_swallowed() -> None:
    def measure(one: Runner) -> float:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        contest(Runner("a"), measure=measure).rounds(1)


def test_events_are_read_at_the_end_of_the_round() -> None:
    happened: list[str] = []

    def measure(one: Runner) -> Callable[[], float]:
        happened.append(f"start {one.name}")
        return lambda: float(happened.append(f"read {one.name}") or 2.0)

    found = contest(Runner("a"), Runner("b"), measure=measure)
    found.rounds(1)
    assert happened == ["start a", "start b", "read a", "read b"] and found["b"].taken == [2.0]


def test_without_time_nothing_runs() -> None:
    order: list[str] = []
    found = contest(Runner("a"), order=order, left=lambda: 0.0)
    found.warm_up(lambda one: order.append(one.name))
    found.rounds(3)
    assert (order, found["a"].status) == ([], "left out")


def test_one_has_a_figure_however_slow_the_machine() -> None:
    left = [1.0]
    found = contest(Runner("a"), Runner("b"), left=lambda: left[0])
    found.warm_up(lambda one: left.__setitem__(0, -5.0))
    found.rounds(3)
    assert [(one.status, len(one.taken)) for one in found.series] == [("right", 1), ("left out", 0)]


def test_a_round_is_of_the_first_that_the_time_suffices_for() -> None:
    found = contest(Runner("a"), Runner("b"), left=lambda: 5.0)
    found.rounds(1)
    found["a"].cost, found["b"].cost = 3.0, 3.0
    found.rounds(1)
    assert [len(one.taken) for one in found.series] == [2, 1]


def test_a_figure_is_a_median_with_its_spread() -> None:
    figure = Figure.of([10.0, 50.0, 20.0, 40.0, 30.0, 1000.0], divided_by=10)
    assert (figure.median, figure.low, figure.high, figure.repeats) == (3.5, 2.0, 5.0, 6)
    assert figure.noisy and not Figure.of([1.0]).noisy


def test_the_core_needs_no_torch() -> None:
    code = "import sys, mtcli.bench.contest; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
