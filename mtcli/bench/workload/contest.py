"""Whole work, as `translate` and `train` measure it: timed in rounds, and taken apart into phases."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, TypeVar

from mtcli.bench.contest import Contest, Figure, Series
from mtcli.bench.record.findings import Findings
from mtcli.bench.record.schema import MEMORY, BenchRow, Ceilings, Phase, Workload
from mtcli.bench.roofline.formulas import NOTHING, Cost
from mtcli.bench.settings import BenchSettings

FEWEST_ROUNDS = 2  # before it is looked at where the time goes
MOST_ROUNDS, TOY_ROUNDS = 20, 2
GIB = 2**30


class WorkContestant(ABC):
    """One way to do a section's work.

    Attributes:
        work: its row's name.
        name: unlike all others'.
        dtype: number type whose ceiling it is held against.
        size: how much it has to do, beside others.
        phases: where the time goes, once it was looked at.
    """

    work: ClassVar[str]
    name: str
    dtype: str
    size: float
    phases: tuple[Phase, ...] = ()

    @property
    def case(self) -> str:
        return self.name

    @property
    @abstractmethod
    def costs(self) -> dict[str, Cost]:
        """The fewest bytes and operations of each part; there must have been a warm-up."""

    @property
    def total(self) -> Cost:
        """What the whole is held against."""
        return sum(self.costs.values(), NOTHING)

    @abstractmethod
    def seconds(self) -> float:
        """Do the work once; raises a `ContestantError` where that fails."""

    @abstractmethod
    def part_seconds(self, usual: float) -> dict[str, float]:
        """Do the work once more to see how long each part takes; `usual` is how long all of it takes unwatched."""

    @abstractmethod
    def figures(self, seconds: Sequence[float]) -> dict[str, Figure]:
        """What the seconds of its runs come to, by name with unit; the first is what it is judged by."""

    def take_apart(self, ceilings: Ceilings, usual: float) -> None:
        """See where the time goes."""
        taken = self.part_seconds(usual)
        found = []
        for part, seconds in taken.items():
            cost = self.costs.get(part, NOTHING)
            counts = {
                "bytes": cost.bytes,
                "flops": cost.flops,
                "fraction": ceilings.fraction(cost, self.dtype, seconds),
            }
            phase = Phase(name=part, seconds=seconds, share=seconds / sum(taken.values()))
            found.append(phase.model_copy(update=counts))
        self.phases = tuple(found)


def memory_figures(peak: int | None) -> dict[str, Figure]:
    """The most bytes that a run had at once, as a figure; none where the system does not tell."""
    return {} if peak is None else {MEMORY: Figure.of([peak / GIB])}


W = TypeVar("W", bound=WorkContestant)


class WorkContest(Contest[W]):
    """A section's contest, whose rows are saved whenever more is known; `kept` seconds are for something else."""

    def __init__(
        self,
        section: str,
        contestants: Iterable[W],
        settings: BenchSettings,
        findings: Findings,
        workload: Workload,
        kept: float = 0.0,
    ) -> None:
        assert findings.ceilings is not None
        self._section, self._findings, self._ceilings, self._workload = section, findings, findings.ceilings, workload
        self._most_rounds = TOY_ROUNDS if settings.toy else MOST_ROUNDS
        super().__init__(
            contestants,
            lambda one: one.seconds(),
            better=min,
            left=lambda: settings.left() - kept,
            say=lambda words: settings.say(f"{section}: {words}"),
            save=self._save_rows,
        )

    def measure(self, warm_up: Callable[[W], None], *, rounds_to_come: float, runs_apart: int = 1) -> None:
        """Measure as much as the time suffices for, most wanted first; what it did not suffice for is left out.

        Args:
            warm_up: of one.
            rounds_to_come: that there should be time for behind a warm-up, in runs as long as that.
            runs_apart: that it takes to see where the time goes.
        """
        self.warm_up(warm_up, size=lambda one: one.size, rounds_to_come=rounds_to_come)
        self.rounds(FEWEST_ROUNDS)
        for one in self.series:
            if one.status == "right" and self.left() > runs_apart * one.cost:
                self._say(f"where the time goes with {one.name}")
                one.contestant.take_apart(self._ceilings, one.median)
        self.rounds(self._most_rounds - FEWEST_ROUNDS)
        self._save_rows(is_over=True)
        for one in self.series:
            if one.status == "left out" and one.refusal is None:
                self._findings.leave_out(f"{self._section}: {one.name}")
            elif one.status == "right" and not one.contestant.phases:
                self._findings.leave_out(f"{self._section}: where the time goes with {one.name}")

    def _save_rows(self, is_over: bool = False) -> None:
        """Save what is known; what has not run yet may turn out to be another one over again, until all is over."""
        checked = self._workload.model_copy(update={"checks": tuple(self.checks)})
        self._findings.describe(self._section, checked)
        wanted = [one for one in self.series if one.status != "left out" or (is_over and one.refusal is None)]
        self._findings.add(*map(self._row, wanted))

    def _row(self, one: Series[W]) -> BenchRow:
        work = one.contestant
        row = BenchRow(
            section=self._section, name=work.work, case=work.case, status=one.status, why=one.why, dtype=work.dtype
        )
        if one.status != "right":
            return row
        total = work.total
        fraction = self._ceilings.fraction(total, work.dtype, one.median)
        found = {"figures": work.figures(one.taken), "bytes": total.bytes, "flops": total.flops, "fraction": fraction}
        return row.model_copy(update=found | {"phases": work.phases})
