"""What the entries reached, round by round, and the rows of `train.json` that are made of it."""

import statistics
from dataclasses import dataclass, field
from typing import Any

from benchmarks.gpu.rates import Rates
from benchmarks.gpu.results import Json
from benchmarks.gpu.training.entries import Entry


@dataclass(kw_only=True)
class Figures(Rates):
    """One entry's measurements, beyond its rates.

    Attributes:
        seconds: of an update, by number of the round.
        peak_bytes: of the device's memory.
        parameters: numbers that it learns.
    """

    seconds: dict[int, float] = field(default_factory=dict)
    peak_bytes: int | None = None
    parameters: int | None = None

    def add(self, number: int, answer: dict[str, Any], steps: int) -> None:
        """Take in a round's answer (`peers.training.Training.train`)."""
        (seconds,), (num_tokens,) = answer["seconds"], answer["num_tokens"]
        self.rates[number], self.seconds[number] = num_tokens / seconds, seconds / steps
        self.peak_bytes = answer["peak_bytes"]


def row(entry: Entry, figures: Figures, reference: Figures, *, flops: float, ceiling: float) -> Json:
    """An entry's row, as `benchmarks.gpu.train` describes it. A wrong one's figures are kept and compared with nothing.

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
        seconds = statistics.median(figures.seconds.values())
        found |= {
            **figures.summary(reference),
            "step_ms": 1e3 * seconds,
            "peak_gib": None if figures.peak_bytes is None else figures.peak_bytes / 2**30,
            "flops_per_second": flops / seconds,
            "fraction": flops / seconds / ceiling if figures.status == "right" else None,
        }
    return found
