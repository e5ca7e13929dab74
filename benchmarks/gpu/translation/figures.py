"""What the entries reached, round by round, and the rows of `translate.json` that are made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.gpu.rates import Rates
from benchmarks.gpu.results import Json
from benchmarks.gpu.translation.entries import Entry


@dataclass(kw_only=True)
class Figures(Rates):
    """One entry's measurements, beyond its rates.

    Attributes:
        latencies: seconds of each sentence, where each was a call.
        slots: sentences that were really decoded at once.
    """

    latencies: list[float] = field(default_factory=list)
    slots: int | None = None


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
    """An entry's row, as `benchmarks.gpu.translate` describes it. A wrong one's figures are kept and compared with nothing."""
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
        at_once = min(figures.slots or entry.size, entry.sentences)
        found |= figures.summary(reference)
        found["step_ms"] = 1e3 * (1 if entry.one_by_one else at_once) / found["median"]
    if figures.latencies:
        p50, p95 = np.percentile(figures.latencies, [50, 95]) * 1e3
        found |= {"p50_ms": float(p50), "p95_ms": float(p95)}
    return found
