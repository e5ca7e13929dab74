"""How long translations of a pair of languages are: what is usual, and what is far from it.

The logarithm of the ratio of the two lengths is about normally distributed, so that its mean and its spread say all.
Some characters are added to both lengths, or else one word for two would be a fault of a short line.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Any

ROOM = 6.0
FEWEST_PAIRS = 100
_LEAST_SPREAD = 0.05  # of a corpus of copies, say: no translation of another line should be a fault for a character
# The logarithm of how much shorter or longer than in Latin letters a text is, and how far ratios spread.
_DENSITY = {"Hang": -0.6, "Jpan": -0.7, "Hani": -1.1, "Hebr": -0.2, "Arab": -0.1}
_SAME_DENSITY_SPREAD, _OTHER_DENSITY_SPREAD = 0.18, 0.2


@dataclass(frozen=True, slots=True)
class LengthStatistics:
    """Hold how long translations of one direction are.

    Attributes:
        mean: of log((characters of the target + 6) / (characters of the source + 6)).
        spread: the standard deviation of that.
    """

    mean: float
    spread: float

    def deviation(self, source: str, target: str) -> float:
        """How many standard deviations the target is longer (or, negative, shorter) than usual."""
        return (log((len(target) + ROOM) / (len(source) + ROOM)) - self.mean) / self.spread

    def expected_length(self, source: str) -> int:
        """The usual number of characters of a translation."""
        return max(0, round((len(source) + ROOM) * exp(self.mean) - ROOM))

    @classmethod
    def between(cls, src_script: str | None, tgt_script: str | None) -> "LengthStatistics":
        """What is usual between two scripts (ISO 15924 codes; those not known count as Latin)."""
        src, tgt = (_DENSITY.get(script or "", 0.0) for script in (src_script, tgt_script))
        return cls(tgt - src, _SAME_DENSITY_SPREAD if src == tgt else _OTHER_DENSITY_SPREAD)

    @classmethod
    def measure(cls, pairs: Iterable[tuple[str, str]]) -> "LengthStatistics":
        """Measure it on pairs of source and target, which are read once.

        Raises:
            ValueError: there are fewer than 100 pairs with text on both sides.
        """
        count, mean, squares = 0, 0.0, 0.0
        for source, target in pairs:
            if source and target:
                ratio = log((len(target) + ROOM) / (len(source) + ROOM))
                count += 1
                change = ratio - mean
                mean += change / count
                squares += change * (ratio - mean)
        if count < FEWEST_PAIRS:
            raise ValueError(f"{count} pairs have text on both sides; {FEWEST_PAIRS} are needed to know what is usual")
        return cls(mean, max(sqrt(squares / count), _LEAST_SPREAD))

    @classmethod
    def from_json(cls, content: Any) -> "LengthStatistics":
        """Read what `to_json` gave.

        Raises:
            ValueError: it is something else.
        """
        try:
            mean, spread = float(content["mean"]), float(content["spread"])
        except (KeyError, TypeError, ValueError):
            raise ValueError('expected an object such as {"mean": 0.1, "spread": 0.17}') from None
        if not (abs(mean) < 10 and 0 < spread < 10):
            raise ValueError(f"a mean of {mean:g} and a spread of {spread:g} cannot be")
        return cls(mean, spread)

    def to_json(self) -> Mapping[str, float]:
        """The two numbers, as they are stored."""
        return {"mean": round(self.mean, 4), "spread": round(self.spread, 4)}
