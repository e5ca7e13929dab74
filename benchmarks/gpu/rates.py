"""How fast something ran, round by round, beside what it is compared with."""

import statistics
from dataclasses import dataclass, field

from benchmarks.gpu.results import Json


@dataclass(kw_only=True)
class Rates:
    """One entry's measurements.

    Attributes:
        rates: target tokens a second, by number of the round.
        cost: seconds that the last measurement took, all included.
        why: why it cannot run, or gives wrong results.
        wrong: a check that covers it failed.
    """

    rates: dict[int, float] = field(default_factory=dict)
    cost: float = 0.0
    why: str | None = None
    wrong: bool = False

    @property
    def status(self) -> str:
        if self.wrong:
            return "wrong"
        if self.why is not None:
            return "cannot run"
        return "right" if self.rates else "left out"

    def ratio(self, reference: "Rates") -> float | None:
        """Median over the rounds that both ran of this rate divided by the reference's; None unless both are right."""
        both = self.rates.keys() & reference.rates.keys()
        if not both or {self.status, reference.status} != {"right"}:
            return None
        return statistics.median(self.rates[each] / reference.rates[each] for each in both)

    def summary(self, reference: "Rates") -> Json:
        """The part of a row that says how fast; there must be a rate."""
        taken = list(self.rates.values())
        return {
            "rounds": len(taken),
            "median": statistics.median(taken),
            "min": min(taken),
            "max": max(taken),
            "ratio": self.ratio(reference),
        }
