"""Rounds in which contestants take turns, so that a machine that slows down slows all of them."""

import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar


class Entry(Protocol):
    """One contestant with one way to do it."""

    @property
    def name(self) -> str:
        """Unlike all others', for people."""

    @property
    def kind(self) -> tuple[Any, ...]:
        """Of entries of one kind a user would take the best."""


EntryT = TypeVar("EntryT", bound=Entry)


@dataclass(frozen=True)
class Series(Generic[EntryT]):
    """What an entry reached in each round; None where it did not run, or failed.

    Attributes:
        figures: tokens a second, or milliseconds.
    """

    entry: EntryT
    figures: tuple[float | None, ...]

    @property
    def taken(self) -> list[float]:
        return [figure for figure in self.figures if figure is not None]

    @property
    def median(self) -> float:
        return statistics.median(self.taken)

    def ratio(self, reference: "Series[EntryT]") -> float:
        """Median over the rounds that both ran of this figure divided by the reference's."""
        pairs = zip(self.figures, reference.figures, strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs if mine is not None and theirs is not None)


def run_rounds(
    entries: Sequence[EntryT],
    measure: Callable[[EntryT], float | None],
    rounds: int,
    *,
    better: Callable[[Sequence[float]], float] = max,
    all_settings: bool = False,
) -> list[Series[EntryT]]:
    """Let all run once, and in the rounds that follow the best of each kind, every other round backwards.

    Args:
        entries: in the order of the first round.
        measure: runs one and returns its figure; None when it failed, which ends its part.
        rounds: at least 1.
        better: picks the better of figures: `max` of rates, `min` of times.
        all_settings: keep all in every round.
    """
    figures: dict[str, list[float | None]] = {entry.name: [] for entry in entries}
    running = list(entries)
    for number in range(rounds):
        found: dict[str, float | None] = {}
        for entry in running if number % 2 == 0 else reversed(running):
            found[entry.name] = figure = measure(entry)
            said = "failed" if figure is None else f"{figure:,.1f}"
            print(f"round {number + 1} of {rounds}: {entry.name}: {said}", file=sys.stderr, flush=True)
        for name, taken in figures.items():
            taken.append(found.get(name))
        running = [entry for entry in running if found[entry.name] is not None]
        if number == 0 and not all_settings:
            running = finalists([Series(entry, tuple(figures[entry.name])) for entry in running], better)
    return [Series(entry, tuple(figures[entry.name])) for entry in entries]


def finalists(series: Sequence[Series[EntryT]], better: Callable[[Sequence[float]], float] = max) -> list[EntryT]:
    """The best entry of each kind by its median, in the order given; all have figures."""
    best: dict[tuple[object, ...], Series[EntryT]] = {}
    for one in series:
        rival = best.get(one.entry.kind)
        if rival is None or better([one.median, rival.median]) != rival.median:
            best[one.entry.kind] = one
    return [one.entry for one in series if best[one.entry.kind] is one]
