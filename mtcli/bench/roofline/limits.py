"""The roofline: how fast work of some intensity can go on this device, from ceilings that were measured.

A call that moves `bytes` and does `flops` takes at least max(bytes / B, flops / F) seconds, where B is the bandwidth
and F the best rate of matrix products in its number type (`Cost.floor` of formulas.py). The same said as rates
(Williams et al. 2009): with intensity I = flops / bytes, it does at most min(F, I B) floating-point operations a
second. Needs no torch.
"""

from dataclasses import dataclass

from mtcli.bench.record.schema import Ceilings
from mtcli.bench.roofline.formulas import Cost


@dataclass(frozen=True)
class Point:
    """Work on the roofline.

    Attributes:
        intensity: floating-point operations a byte moved; 0 where only the bytes are counted.
        flops_per_second, bytes_per_second: what was reached.
    """

    intensity: float
    flops_per_second: float
    bytes_per_second: float

    @classmethod
    def of(cls, cost: Cost, seconds: float) -> "Point":
        """From what was counted and the time it took."""
        return cls(cost.flops / cost.bytes, cost.flops / seconds, cost.bytes / seconds)


def attainable(intensity: float, bytes_per_second: float, flops_per_second: float) -> float:
    """The most floating-point operations a second at an intensity."""
    return min(flops_per_second, intensity * bytes_per_second)


def ridge(bytes_per_second: float, flops_per_second: float) -> float:
    """The intensity from which on arithmetic is the limit."""
    return flops_per_second / bytes_per_second


def bandwidth(ceilings: Ceilings, num_bytes: int, in_caches: bool) -> float:
    """The bandwidth that work moving so many bytes is held against, bytes a second.

    Args:
        ceilings: with copies of several sizes.
        num_bytes: read and written.
        in_caches: whether what fits the caches is there when the work begins: on a CPU, where nothing empties them.
            Then it is the best copy that moves at least as much; a smaller one could be nearer in the caches.
    """
    rates = [ceilings.bytes_per_second]
    if in_caches:
        rates += [copied.bytes_per_second for copied in ceilings.copy_ if 2 * copied.bytes >= num_bytes]
    return max(rates)
