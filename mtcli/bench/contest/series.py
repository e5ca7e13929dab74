"""What each contestant reached, round by round. Needs no torch."""

import statistics
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from mtcli.bench.contest.figures import Status


class Contestant(Protocol):
    """One way to do the work; where it has a `kind`, of contestants of one kind a user would take the best."""

    @property
    def name(self) -> str:
        """Unlike all others', for people."""


C = TypeVar("C", bound=Contestant)


@dataclass(kw_only=True)
class Series(Generic[C]):
    """What a contestant reached.

    Attributes:
        figures: rates or times by number of the round.
        cost: seconds that its newest run took, all included.
        refusal: how it failed, if it did; why: a clause that says more.
        num_rounds: begun so far in the contest, with it or without.
    """

    contestant: C
    figures: dict[int, float] = field(default_factory=dict)
    cost: float = 0.0
    refusal: Status | None = None
    why: str | None = None
    num_rounds: int = 0

    @property
    def name(self) -> str:
        return self.contestant.name

    @property
    def kind(self) -> Hashable:
        return getattr(self.contestant, "kind", self.name)

    @property
    def status(self) -> Status:
        return self.refusal or ("right" if self.figures else "left out")

    @property
    def taken(self) -> list[float]:
        """Its figures without the rounds that it did not run."""
        return list(self.figures.values())

    @property
    def median(self) -> float:
        return statistics.median(self.taken)

    def refuse(self, status: Status, why: str | None) -> None:
        """End its part. A wrong result takes the figures with it; one that can no longer run keeps those it had."""
        self.refusal, self.why = status, why
        if status == "wrong":
            self.figures.clear()

    def ratio(self, reference: "Series[C]") -> float | None:
        """Median over the rounds that both ran of this figure divided by the reference's; None where there is none."""
        both = self.figures.keys() & reference.figures.keys()
        ratios = [self.figures[number] / reference.figures[number] for number in both]
        return statistics.median(ratios) if ratios else None

    def as_json(self, reference: "Series[C] | None" = None) -> dict[str, Any]:
        """The part of a row that says how fast: null where it has no figure."""
        taken = self.taken
        return {
            "status": self.status,
            "why": self.why,
            "rounds": [self.figures.get(number) for number in range(self.num_rounds)],
            "median": statistics.median(taken) if taken else None,
            "min": min(taken, default=None),
            "max": max(taken, default=None),
            "ratio": None if reference is None else self.ratio(reference),
        }


def finalists(series: Iterable[Series[C]], better: Callable[[Sequence[float]], float] = max) -> list[Series[C]]:
    """The best of each kind by its median, in the order given; `better` picks the better of figures."""
    best: dict[Hashable, Series[C]] = {}
    timed = [one for one in series if one.figures]
    for one in timed:
        rival = best.setdefault(one.kind, one)
        if better([one.median, rival.median]) != rival.median:
            best[one.kind] = one
    return [one for one in timed if best[one.kind] is one]
