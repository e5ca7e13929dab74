"""What the entries reached, round by round, and the rows of `translate.json` that are made of it."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gpu.results import Json
from gpu.translation.entries import Entry


@dataclass(kw_only=True)
class Figures:
    """One entry's measurements.

    Attributes:
        rates: target tokens a second, by number of the round.
        latencies: seconds of each sentence, where each was a call.
        slots: sentences that were really decoded at once.
        cost: seconds that the last measurement took, all included.
        why: why it cannot run, or gives wrong results.
        wrong: a check that covers it failed.
    """

    rates: dict[int, float] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    slots: int | None = None
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


def affordable(entries: Sequence[Entry], figures: Mapping[Entry, Figures], seconds: float) -> list[Entry]:
    """As many of the first that have been measured as these seconds suffice for."""
    found = []
    for entry in entries:
        one = figures[entry]
        if not one.rates or one.why is not None:
            continue
        seconds -= one.cost
        if seconds < 0:
            break
        found.append(entry)
    return found


def row(entry: Entry, figures: Figures, reference: Figures) -> Json:
    """An entry's row, as `gpu.translate` describes it. A wrong one's figures are kept and compared with nothing."""
    found: Json = {
        "contestant": entry.contestant,
        "search": entry.search,
        "beam": entry.beam,
        "way": entry.way,
        "settings": entry.settings,
        "size": entry.size,
        "slots": figures.slots,
        "sentences": entry.sentences,
        "one_by_one": entry.one_by_one,
        "status": figures.status,
        "why": figures.why,
    }
    if figures.rates:
        taken = list(figures.rates.values())
        median = statistics.median(taken)
        at_once = min(figures.slots or entry.size, entry.sentences)
        found |= {
            "rounds": len(taken),
            "median": median,
            "min": min(taken),
            "max": max(taken),
            "step_ms": 1e3 * (1 if entry.one_by_one else at_once) / median,
            "ratio": ratio(figures, reference) if figures.status == "right" else None,
        }
    if figures.latencies:
        p50, p95 = np.percentile(figures.latencies, [50, 95]) * 1e3
        found |= {"p50_ms": float(p50), "p95_ms": float(p95)}
    return found


def ratio(figures: Figures, reference: Figures) -> float | None:
    """Median over the rounds that both ran of this rate divided by the reference's; None where that has none."""
    if reference.status != "right":
        return None
    both = figures.rates.keys() & reference.rates.keys()
    return statistics.median(figures.rates[each] / reference.rates[each] for each in both) if both else None
