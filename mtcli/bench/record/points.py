"""What stands where on the roofline: the kernels and the phases of a record. Needs no torch and no matplotlib."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from mtcli.bench.record.schema import Phase, Record
from mtcli.bench.roofline.formulas import Cost
from mtcli.bench.roofline.limits import Point


@dataclass
class Series:
    """One operation's cases, or one phase in all its settings.

    Attributes:
        name: for the legend.
        is_kernel: else it is a phase.
        points: those that were timed.
    """

    name: str
    is_kernel: bool
    points: list[Point] = field(default_factory=list)


def series_of(record: Record) -> list[Series]:
    """Every kernel that was found right, as mtcli takes it, and every phase with bytes counted."""
    found: dict[str, Series] = {}
    for name, point in _kernels(record):
        found.setdefault(name, Series(name, is_kernel=True)).points.append(point)
    for name, phase in _phases(record):
        if phase.bytes and phase.seconds:
            point = Point.of(Cost(phase.bytes, phase.flops), phase.seconds)
            found.setdefault(name, Series(name, is_kernel=False)).points.append(point)
    return list(found.values())


def _kernels(record: Record) -> Iterator[tuple[str, Point]]:
    if record.kernels is None:
        return
    for name, rows in record.kernels.operations.items():
        for row in rows:
            for one in row["contestants"]:
                if one["name"] == record.kernels.ours and one.get("flops_per_second") is not None:
                    intensity = row["flops"] / row["bytes"]
                    yield name, Point(intensity, one["flops_per_second"], one["bytes_per_second"])


def _phases(record: Record) -> Iterator[tuple[str, Phase]]:
    for section, part in (("translate", record.translate), ("train", record.train)):
        for row in part.rows if part else ():
            if row.status == "right":
                for phase in row.phases:
                    yield f"{section}: {phase.name}", phase


def number_types(record: Record) -> list[str]:
    """Those that the points were computed in and a roof was measured for, the highest roof first."""
    used = {part.dtype for part in (record.translate, record.train) if part}
    if record.kernels:
        rows = [row for rows in record.kernels.operations.values() for row in rows]
        used |= {row["dtype"] for row in rows if row["flops"]}
    roofs = record.ceilings.flops_per_second
    return sorted(used & set(roofs), key=lambda dtype: -roofs[dtype])
