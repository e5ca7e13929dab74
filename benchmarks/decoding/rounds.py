"""Rounds in which the contestants take turns, so that a machine that slows down slows all of them."""

import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from decoding.contestants import Entry


@dataclass(frozen=True)
class Series:
    """What an entry reached in each round; None where it did not run.

    Attributes:
        figures: tokens a second, or milliseconds.
    """

    entry: Entry
    figures: tuple[float | None, ...]

    @property
    def taken(self) -> list[float]:
        return [figure for figure in self.figures if figure is not None]

    @property
    def median(self) -> float:
        return statistics.median(self.taken)

    def ratio(self, reference: "Series") -> float:
        """Median over the rounds that both ran of this figure divided by the reference's."""
        pairs = zip(self.figures, reference.figures, strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs if mine is not None and theirs is not None)


def run_rounds(
    entries: Sequence[Entry],
    measure: Callable[[Entry], float],
    rounds: int,
    *,
    better: Callable[[Sequence[float]], float] = max,
    all_settings: bool = False,
) -> list[Series]:
    """Let all run once, and in the rounds that follow the best settings of each kind, every other round backwards.

    Args:
        entries: in the order of the first round.
        measure: runs one and returns its figure.
        rounds: at least 1.
        better: picks the better of figures: `max` of rates, `min` of times.
        all_settings: keep all in every round.
    """
    figures: dict[str, list[float | None]] = {entry.name: [] for entry in entries}
    running = list(entries)
    for number in range(rounds):
        names = {entry.name for entry in running}
        for entry in running if number % 2 == 0 else reversed(running):
            figure = measure(entry)
            figures[entry.name].append(figure)
            print(f"round {number + 1} of {rounds}: {entry.name}: {figure:,.1f}", file=sys.stderr, flush=True)
        for name in figures.keys() - names:
            figures[name].append(None)
        if number == 0 and not all_settings:
            running = finalists([Series(entry, tuple(figures[entry.name])) for entry in entries], better)
    return [Series(entry, tuple(figures[entry.name])) for entry in entries]


def finalists(series: Sequence[Series], better: Callable[[Sequence[float]], float] = max) -> list[Entry]:
    """The best entry of each kind by its median, in the order given."""
    best: dict[tuple[object, ...], Series] = {}
    for one in series:
        rival = best.get(one.entry.kind)
        if rival is None or better([one.median, rival.median]) != rival.median:
            best[one.entry.kind] = one
    return [one.entry for one in series if best[one.entry.kind] is one]


def reference_of(series: Sequence[Series], beam: int) -> Series:
    """The series that ratios of this beam are to."""
    return next(one for one in series if one.entry.is_reference and one.entry.beam == beam)
