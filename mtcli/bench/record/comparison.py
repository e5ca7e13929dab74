"""Two records side by side: the ratio of every figure that both are judged by, and whether it is beyond the noise.

A figure's noise is its spread: from where a fifth of the repetitions lie below to where a fifth lie above. A figure
is worse where even the better end of its spread is worse than the worse end of the old one's by more than `MARGIN`.
What was not repeated is taken to spread by `NOISY`. Needs no torch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from mtcli.bench.contest import Figure
from mtcli.bench.contest.figures import NOISY
from mtcli.bench.record.schema import KERNEL, MEMORY, PADDED, BenchRecord, BenchRow, Device

MARGIN = 0.05
Verdict = Literal["better", "same", "worse"]


@dataclass(frozen=True)
class Compared:
    """One figure in both records; `ratio` is new over old."""

    row: BenchRow
    figure: str
    old: Figure
    new: Figure

    @property
    def ratio(self) -> float:
        return self.new.median / self.old.median if self.old.median else float("inf")

    @property
    def more_is_better(self) -> bool:
        return self.figure.endswith("/s")

    @property
    def ours(self) -> bool:
        """Whether it is mtcli's; else it is the machine's or PyTorch's."""
        return self.row.section != "ceilings" and (self.row.ours or self.row.by in (KERNEL, PADDED))

    @property
    def verdict(self) -> Verdict:
        """Whether the new figure is better or worse by more than the noise of both and the margin."""
        (old_low, old_high), (new_low, new_high) = _spread(self.old), _spread(self.new)
        if new_low > old_high * (1 + MARGIN):
            return "better" if self.more_is_better else "worse"
        if new_high * (1 + MARGIN) < old_low:
            return "worse" if self.more_is_better else "better"
        return "same"

    @property
    def is_regression(self) -> bool:
        return self.ours and self.verdict == "worse"


def _spread(one: Figure) -> tuple[float, float]:
    once = (one.median * (1 - NOISY / 2), one.median * (1 + NOISY / 2))
    return once if one.repeats == 1 else (one.low, one.high)


@dataclass(frozen=True)
class Comparison:
    """What two records say of each other.

    Attributes:
        rows: figures in both, in the order of the new record.
        broken: what was right in the old record and is not in the new one, in sentences.
        missing: what only the old record has, in words.
        warnings: what differs and may be the cause, in sentences.
    """

    rows: tuple[Compared, ...]
    broken: tuple[str, ...]
    missing: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def regressions(self) -> int:
        """Figures that are worse and things that are broken."""
        return len(self.broken) + sum(row.is_regression for row in self.rows)


def compare(old: BenchRecord, new: BenchRecord) -> Comparison:
    """Compare what `differences` has nothing against."""
    before, after = {row.key: row for row in old.rows}, {row.key: row for row in new.rows}
    rows = tuple(one for key, row in after.items() if key in before for one in _compared(before[key], row))
    timed = [row for key, row in before.items() if row.figures and row.section in new.sections]
    missing = tuple(", ".join(row.key) for row in timed if row.key not in after or not after[row.key].main)
    broken = tuple(
        f"{row.sentence.removesuffix('.')}, where it was right."
        for key, row in after.items()
        if key in before and before[key].status == "right" and row.status not in ("right", "left out")
        if row.ours or row.is_fault
    )
    return Comparison(rows, broken, missing, tuple(_warnings(old, new, rows)))


def _compared(old: BenchRow, new: BenchRow) -> Iterator[Compared]:
    """What a row is judged by, and its memory."""
    for place, (name, figure) in enumerate(new.figures.items()):
        if name in old.figures and (place == 0 or name == MEMORY):
            yield Compared(new, name, old.figures[name], figure)


def device_differences(old: Device, new: Device) -> list[str]:
    """Clauses for what makes figures of two devices incomparable."""
    names = ("kind", "name", "cpu", "cores", "threads") if new.kind == "cpu" else ("kind", "name")
    return _changes("device.", {name: getattr(old, name) for name in names}, dict(new))


def differences(old: BenchRecord, new: BenchRecord) -> list[str]:
    """Clauses for what makes two records incomparable: another device, model, number type or size."""
    found = device_differences(old.device, new.device)
    for name, work in old.workloads.items():
        if other := new.workloads.get(name):
            parts = ("model", "dtype", "sentences")
            found += _changes(f"{name}.", {part: getattr(work, part) for part in parts}, dict(other))
    before, after = ({row.key: (row.bytes, row.flops) for row in record.of("kernels")} for record in (old, new))
    same = {", ".join(key[1:3]): (size, after[key]) for key, size in before.items() if key in after}
    sizes = ({name: f"{both[place]} bytes and operations" for name, both in same.items()} for place in (0, 1))
    return found + _changes("", *sizes)


def _changes(what: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Clauses for the old keys whose values are other ones now."""
    differing = [(name, value, new.get(name)) for name, value in old.items() if value != new.get(name)]
    return [f"{what}{name} was {before} and is {after}" for name, before, after in differing]


def _warnings(old: BenchRecord, new: BenchRecord, rows: tuple[Compared, ...]) -> Iterator[str]:
    absent = dict.fromkeys(sorted(old.versions.keys() | new.versions.keys()), "absent")
    for clause in _changes("", absent | old.versions, absent | new.versions):
        yield f"Other versions: {clause}."
    around = ["driver"] + (["cpu", "cores", "threads"] if new.device.kind == "cuda" else [])
    for clause in _changes("", {name: getattr(old.device, name) for name in around}, dict(new.device)):
        yield f"Around the device: {clause}."
    for clause in _changes("the ", {"seed": old.seed}, {"seed": new.seed}):
        yield f"Other random numbers, lengths of sentences among them: {clause}."
    for one in rows:
        if one.row.section == "ceilings" and one.verdict != "same":
            yield (
                f"The machine itself is not as it was: {one.row.name}, {one.row.case} takes {one.ratio:.2f} times as "
                "long. What follows may be its doing, not mtcli's."
            )
