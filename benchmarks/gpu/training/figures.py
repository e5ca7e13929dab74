"""What the entries reached, round by round, and the rows of `train.json` that are made of it."""

import statistics
from dataclasses import dataclass, field
from typing import Any

from gpu.results import Json
from gpu.training.entries import Entry


@dataclass(kw_only=True)
class Figures:
    """One entry's measurements.

    Attributes:
        rates: target tokens a second, by number of the round; seconds: of an update.
        peak_bytes: of the device's memory.
        parameters: numbers that it learns.
        cost: seconds that the last measurement took, all included.
        why: why it cannot run, or gives wrong results.
        wrong: a check failed.
    """

    rates: dict[int, float] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    peak_bytes: int | None = None
    parameters: int | None = None
    cost: float = 0.0
    why: str | None = None
    wrong: bool = False

    def add(self, number: int, answer: dict[str, Any], steps: int) -> None:
        """Take in a round's answer (`peers.training.Training.train`)."""
        (seconds,), (num_tokens,) = answer["seconds"], answer["num_tokens"]
        self.rates[number], self.seconds[number] = num_tokens / seconds, seconds / steps
        self.peak_bytes = answer["peak_bytes"]

    @property
    def status(self) -> str:
        if self.wrong:
            return "wrong"
        if self.why is not None:
            return "cannot run"
        return "right" if self.rates else "left out"


def row(entry: Entry, figures: Figures, reference: Figures, *, flops: float, ceiling: float) -> Json:
    """An entry's row, as `gpu.train` describes it. A wrong one's figures are kept and compared with nothing.

    Args:
        entry, figures: what was measured.
        reference: mtcli's figures.
        flops: of an update; ceiling: the most a second.
    """
    found: Json = {
        "contestant": entry.contestant,
        "way": entry.way,
        "status": figures.status,
        "why": figures.why,
        "parameters": figures.parameters,
    }
    if figures.rates:
        taken, seconds = list(figures.rates.values()), statistics.median(figures.seconds.values())
        right = figures.status == "right"
        found |= {
            "rounds": len(taken),
            "median": statistics.median(taken),
            "min": min(taken),
            "max": max(taken),
            "step_ms": 1e3 * seconds,
            "ratio": ratio(figures, reference) if right else None,
            "peak_gib": None if figures.peak_bytes is None else figures.peak_bytes / 2**30,
            "flops_per_second": flops / seconds,
            "fraction": flops / seconds / ceiling if right else None,
        }
    return found


def ratio(figures: Figures, reference: Figures) -> float | None:
    """Median over the rounds that both ran of this rate divided by the reference's; None where that has none."""
    if reference.status != "right":
        return None
    both = figures.rates.keys() & reference.rates.keys()
    return statistics.median(figures.rates[each] / reference.rates[each] for each in both) if both else None
