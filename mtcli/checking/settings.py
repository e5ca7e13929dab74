"""How strict the checks are."""

from dataclasses import dataclass

from mtcli.checking.lengths import LengthStatistics


@dataclass(frozen=True, kw_only=True)
class CheckSettings:
    """Choose the checks and their limits.

    Attributes:
        checks: ids of those to run; None for all.
        lengths: how long translations of this pair are; None for what is usual between the two scripts.
        length_tolerance: standard deviations that a translation may be longer or shorter than usual.
        full_stops: whether a full stop lost or added is a fault in every line, not in those of several sentences alone.
        min_repeats: times in a row that words must stand to be a loop beyond doubt, an error; fewer are a warning.
        min_mean_log_prob: natural logarithm of the probability of a token, on average, below which a translation has
            a low score.
    """

    checks: frozenset[str] | None = None
    lengths: LengthStatistics | None = None
    length_tolerance: float = 4.0
    full_stops: bool = False
    min_repeats: int = 3
    min_mean_log_prob: float = -1.5
