"""Two records side by side: the ratio of every figure that is in both, and whether it is beyond the noise.

A figure's noise is its spread: from where a fifth of the repetitions lie below to where a fifth lie above. A figure
is worse where even the better end of its spread is worse than the worse end of the old one's by more than `MARGIN`.
What was not repeated is taken to spread by `NOISY`. Needs no torch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mtcli.bench.record.measurements import Measured, kernel_case, measured
from mtcli.bench.record.outcomes import Outcome, outcomes
from mtcli.bench.record.rows import EAGER, OURS
from mtcli.bench.record.schema import NOISY, Device, Record

MARGIN = 0.05
Verdict = Literal["better", "same", "worse", "not judged"]


@dataclass(frozen=True)
class Compared:
    """One figure in both records.

    Attributes:
        old, new: as measured.
        ratio: new over old.
        verdict: of the new one.
        ours: whether it is mtcli's; else it is the machine's or PyTorch's.
    """

    old: Measured
    new: Measured
    ratio: float
    verdict: Verdict
    ours: bool

    @property
    def is_regression(self) -> bool:
        return self.ours and self.verdict == "worse"


@dataclass(frozen=True)
class Comparison:
    """What two records say of each other.

    Attributes:
        rows: figures in both, in the order of the new record.
        broken: what was right in the old record and is not in the new one, in sentences.
        missing: figures that only the old record has, in words.
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


def compare(old: Record, new: Record) -> Comparison:
    """Compare what `differences` has nothing against."""
    before = {one.key: one for one in measured(old) if not one.derived}
    after = {one.key: one for one in measured(new) if not one.derived}
    own = {OURS, EAGER, new.kernels.ours} if new.kernels else set()
    rows = tuple(_compared(before[key], one, own) for key, one in after.items() if key in before)
    in_both = {one.section for one in after.values()}
    broken = tuple(_broken(old, new))
    missing = tuple(", ".join(one.key) for key, one in before.items() if key not in after and one.section in in_both)
    return Comparison(rows, broken, missing, tuple(_warnings(old, new, rows)))


def _compared(old: Measured, new: Measured, own: set[str]) -> Compared:
    ours = new.section in ("translate", "train") or (new.section == "kernels" and new.by in own)
    ratio = new.median / old.median if old.median else float("inf")
    return Compared(old, new, ratio, verdict(old, new), ours)


def verdict(old: Measured, new: Measured) -> Verdict:
    """Whether the new figure is better or worse by more than the noise of both and the margin."""
    if not (old.judged and new.judged):
        return "not judged"
    (old_low, old_high), (new_low, new_high) = _spread(old), _spread(new)
    if new_low > old_high * (1 + MARGIN):
        return "better" if new.more_is_better else "worse"
    if new_high * (1 + MARGIN) < old_low:
        return "worse" if new.more_is_better else "better"
    return "same"


def _spread(one: Measured) -> tuple[float, float]:
    if one.low is None or one.high is None or one.repeats == 1:
        return one.median * (1 - NOISY / 2), one.median * (1 + NOISY / 2)
    return one.low, one.high


def _broken(old: Record, new: Record) -> Iterator[str]:
    right = {one.what for one in outcomes(old) if one.status == "right"}
    for one in outcomes(new):
        if one.what in right and one.status not in ("right", "left out"):
            yield _was_right(one)


def _was_right(one: Outcome) -> str:
    because = f" ({one.why.rstrip('.')})" if one.why else ""
    return f"{one.what}: was right and is now {one.status}{because}."


def device_differences(old: Device, new: Device) -> list[str]:
    """Clauses for what makes figures of two devices incomparable."""
    names = ["kind", "name"] + (["cpu", "cores", "threads"] if new.kind == "cpu" else [])
    return [clause for name in names if (clause := _changed(f"device.{name}", getattr(old, name), getattr(new, name)))]


def differences(old: Record, new: Record) -> list[str]:
    """Clauses for what makes two records incomparable: another device, model, number type or size."""
    found = device_differences(old.device, new.device)
    for name in ("translate", "train"):
        one, other = getattr(old, name), getattr(new, name)
        if one and other:
            for part in ("model", "dtype", "sources"):
                before, after = getattr(one, part), getattr(other, part)
                if part == "model":
                    pairs = zip(before, after, strict=True)  # pydantic yields (field, value)
                    found += filter(None, (_changed(f"{name}.model.{a}", x, y) for (a, x), (_, y) in pairs))
                else:
                    found += filter(None, [_changed(f"{name}.{part}", before, after)])
    if old.kernels and new.kernels:
        before, after = _shapes(old), _shapes(new)
        found += filter(None, (_changed(case, before[case], after[case]) for case in before if case in after))
    return found


def _shapes(record: Record) -> dict[str, object]:
    assert record.kernels
    rows = ((name, row) for name, rows in record.kernels.operations.items() for row in rows)
    return {f"the shape of {name}, {kernel_case(row)}": row["shape"] for name, row in rows}


def _changed(what: str, old: object, new: object) -> str | None:
    return None if old == new else f"{what} was {old} and is {new}"


def _warnings(old: Record, new: Record, rows: tuple[Compared, ...]) -> Iterator[str]:
    for name in sorted(old.versions.keys() | new.versions.keys()):
        if clause := _changed(name, old.versions.get(name, "absent"), new.versions.get(name, "absent")):
            yield f"Other versions: {clause}."
    around = ["driver"] + (["cpu", "cores", "threads"] if new.device.kind == "cuda" else [])
    for name in around:
        if clause := _changed(name, getattr(old.device, name), getattr(new.device, name)):
            yield f"Around the device: {clause}."
    if clause := _changed("the seed", old.seed, new.seed):
        yield f"Other random numbers, lengths of sentences among them: {clause}."
    moved = [row for row in rows if row.new.section == "ceilings" and row.verdict in ("better", "worse")]
    for row in moved:
        what = f"{row.new.name}, {row.new.case}"
        yield (
            f"The machine itself is not as it was: {what} takes {row.ratio:.2f} times as long. "
            "What follows may be its doing, not mtcli's."
        )
