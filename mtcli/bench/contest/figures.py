"""What a record holds of a contest: repeated measurements, and checks. Needs no torch."""

import statistics
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

NOISY = 0.10  # a spread of more than this share of the median
OUTER_SHARE = 0.2  # of the repetitions, on either side of what counts as the spread

Status = Literal["right", "wrong", "cannot run", "out of memory", "left out"]


class Figure(BaseModel):
    """What was measured several times.

    Attributes:
        median: of the repetitions.
        low, high: where a fifth lie below and above.
        repeats: how many.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    median: float
    low: float
    high: float
    repeats: int = Field(ge=1)

    @classmethod
    def of(cls, samples: Sequence[float], divided_by: float = 1) -> "Figure":
        """Summarise what came out each time; one at least."""
        ordered = sorted(sample / divided_by for sample in samples)
        last = len(ordered) - 1
        low, high = ordered[round(OUTER_SHARE * last)], ordered[round((1 - OUTER_SHARE) * last)]
        return cls(median=statistics.median(ordered), low=low, high=high, repeats=len(ordered))

    @property
    def noisy(self) -> bool:
        """Whether it spreads too far to rest anything on."""
        return self.high - self.low > NOISY * self.median


class Check(BaseModel):
    """What was compared before anything was timed; `passed` is None where there was no answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str
    passed: bool | None
    detail: str

    @property
    def sentence(self) -> str:
        """What was compared and what came out, without a full stop."""
        return f"{self.what.rstrip('.')}: {self.detail.rstrip('.')}"
