"""Rounds in which contestants take turns, so that a machine that slows down slows all of them. Needs no torch."""

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic

from mtcli.bench.contest.figures import Check, Status
from mtcli.bench.contest.series import C, Series, finalists

Reading = float | Callable[[], float]
"""A figure, or what reads it when the round has ended."""


class ContestantError(Exception):
    """A contestant cannot go on; the message is a clause that says why."""

    def __init__(self, why: str, status: Status = "cannot run") -> None:
        super().__init__(why)
        self.status: Status = status


class Contest(Generic[C]):
    """Checks contestants, then lets them take turns.

    Args:
        contestants: the most wanted first, which is the order of the first round.
        measure: runs one and returns its figure, or a function that reads it at the end of the round.
        better: picks the better of figures: `max` of rates, `min` of times.
        left: seconds that are left for all of it.
        say: tells a person what is being done.
        save: called whenever something more is known.
    """

    def __init__(
        self,
        contestants: Iterable[C],
        measure: Callable[[C], Reading],
        *,
        better: Callable[[Sequence[float]], float] = max,
        left: Callable[[], float] = lambda: math.inf,
        say: Callable[[str], None] = lambda words: None,
        save: Callable[[], None] = lambda: None,
    ) -> None:
        self.series = [Series(contestant=one) for one in contestants]
        self.checks: list[Check] = []
        self.num_rounds = 0
        self._may_begin = left() > 0  # then one is measured however slow the machine
        self.left = left
        self._measure, self._better, self._say, self._save = measure, better, say, save
        self._warm: list[Series[C]] | None = None  # None where nobody needs to be

    def __getitem__(self, name: str) -> Series[C]:
        return next(one for one in self.series if one.name == name)

    @property
    def running(self) -> list[Series[C]]:
        """Those that may still be measured."""
        return [one for one in (self.series if self._warm is None else self._warm) if one.refusal is None]

    @property
    def begun(self) -> list[Series[C]]:
        """Those that were warmed up."""
        return list(self._warm or ())

    def check(self, ask: Callable[[C], Iterable[Check]]) -> None:
        """Ask what speaks for each contestant's results; who fails a check is wrong and gets no figure.

        Where a check has no answer (`passed` is None), the contestant counts as one that cannot run.
        """
        for one in self.series:
            with self._attempt(one):
                found = list(ask(one.contestant))
                self.checks += [each for each in found if each not in self.checks]
                if failed := [each for each in found if not each.passed]:
                    is_wrong = any(each.passed is False for each in failed)
                    why = "; ".join(each.sentence for each in failed)
                    raise ContestantError(why, "wrong" if is_wrong else "cannot run")
            self._save()

    def warm_up(
        self,
        prepare: Callable[[C], object],
        *,
        size: Callable[[C], float] = lambda contestant: 1.0,
        rounds_to_come: float = 2,
    ) -> None:
        """Run each once where nothing counts, as far as the time suffices; the rounds are of those alone.

        The first is run however slow the machine, unless there was no time when the contest was made.

        Args:
            prepare: runs one.
            size: how much a contestant has to do, beside others.
            rounds_to_come: that there should be time for, once it has been prepared.
        """
        self._warm, newest = [], None
        for one in self.series:
            if one.refusal is not None:
                continue
            cost = newest.cost * size(one.contestant) / size(newest.contestant) if newest else 0.0
            to_come = (1 + rounds_to_come) * cost + rounds_to_come * sum(each.cost for each in self._warm)
            if not (self.left() > to_come if newest else self._may_begin):
                continue
            self._say(one.name)
            with self._attempt(one):
                prepare(one.contestant)
                newest = one
                self._warm.append(one)

    def rounds(self, most: int, *, finalists_only: bool = False) -> None:
        """Let all take turns, every other round backwards; a second call goes on where the first has ended.

        A round is of the first so many that the time suffices for; one figure there is however slow the machine.

        Args:
            most: rounds, unless the time ends before.
            finalists_only: behind the first round only the best of each kind run.
        """
        for _ in range(most):
            running = finalists(self.running, self._better) if finalists_only and self.num_rounds else self.running
            running = list(self._affordable(running))
            if not running:
                return
            self._run_round(running)

    def _affordable(self, running: Sequence[Series[C]]) -> Iterator[Series[C]]:
        seconds, is_owed = self.left(), self._may_begin and not self._has_figures
        for one in running:
            seconds -= one.cost
            if seconds < 0 and not is_owed:
                return
            yield one
            is_owed = False

    @property
    def _has_figures(self) -> bool:
        return any(one.figures for one in self.series)

    def _run_round(self, running: Sequence[Series[C]]) -> None:
        number = self.num_rounds
        self.num_rounds += 1
        for one in self.series:
            one.num_rounds = self.num_rounds
        self._say(f"round {number + 1}")
        to_read: list[tuple[Series[C], Callable[[], float]]] = []
        for one in running if number % 2 == 0 else reversed(running):
            if self.left() < one.cost and self._has_figures:
                continue
            with self._attempt(one):
                reading = self._measure(one.contestant)
                if callable(reading):
                    to_read.append((one, reading))
                else:
                    one.figures[number] = reading
            self._save()
        for one, read in to_read:
            one.figures[number] = read()

    @contextlib.contextmanager
    def _attempt(self, one: Series[C]) -> Iterator[None]:
        """Keep what it costs, and how it failed if it did."""
        start = time.perf_counter()
        try:
            yield
        except ContestantError as error:
            one.refuse(error.status, str(error))
        finally:
            one.cost = time.perf_counter() - start
