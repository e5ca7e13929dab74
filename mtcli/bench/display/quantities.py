"""How numbers are written in the tables. Needs no torch."""

from dataclasses import dataclass

from mtcli.bench.record.schema import Figure, Record

NOISY, ONCE = "noisy", "once"
GIGA, TERA = 1e9, 1e12


def number(value: float) -> str:
    """Three significant digits, all of those before the point, thousands set apart."""
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{digits}f}"


def optional(value: float | None) -> str:
    return "" if value is None else number(value)


def share(value: float | None) -> str:
    """A share of 1 in percent; nothing where there is none."""
    if value is None:
        return ""
    return f"{value:.0%}" if value >= 0.1 else f"{value:.1%}"


def times(value: float) -> str:
    """How often one time goes into another."""
    return f"{value:.2f}x"


def spread(figure: Figure) -> str:
    """How far apart the repetitions are, in percent of their median; says where that is too far, or not known."""
    if figure.repeats == 1:
        return ONCE
    apart = (figure.high - figure.low) / figure.median if figure.median else 0.0
    return f"{apart:.0%} {NOISY}" if figure.noisy else f"{apart:.0%}"


@dataclass(frozen=True)
class RateUnit:
    """What a device's arithmetic is counted in."""

    name: str
    size: float

    @classmethod
    def of(cls, record: Record) -> "RateUnit":
        """TFLOP/s where the device does at least one of them, else GFLOP/s."""
        fast = max(record.ceilings.flops_per_second.values(), default=0.0) >= TERA
        return cls("TFLOP/s", TERA) if fast else cls("GFLOP/s", GIGA)

    def __call__(self, flops_per_second: float) -> str:
        return number(flops_per_second / self.size)


def gigabytes(bytes_per_second: float) -> str:
    """GB/s, without the unit."""
    return number(bytes_per_second / GIGA)
