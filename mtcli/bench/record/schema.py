"""The results of `mtcli bench`, as its JSON holds them: rows of figures, and what they are held against. No torch."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from mtcli.bench.contest import Check, Figure, Status
from mtcli.bench.roofline.formulas import Cost
from mtcli.bench.settings import SECTIONS

FORMAT_VERSION: Literal[2] = 2
MTCLI, MACHINE = "mtcli", "the machine"
KERNEL, PADDED, DEFINITION = "triton", "padded", "reference"  # mtcli's forms of an operation
TIME, GRAPH_TIME, MEMORY = "time (µs)", "time in a CUDA graph (µs)", "memory (GiB)"


class RecordPart(BaseModel):
    """Exactly these keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Device(RecordPart):
    """What it ran on.

    Attributes:
        kind: cpu or cuda; name: of the GPU, else of the processor.
        cpu, cores, memory_gib: of the machine; the cores are those that the process may use; threads: PyTorch's.
        gpu_memory_gib, driver: of the GPU.
    """

    kind: Literal["cpu", "cuda"]
    name: str
    cpu: str
    cores: int
    memory_gib: float
    threads: int
    gpu_memory_gib: float | None = None
    driver: str | None = None


class CopyRate(RecordPart):
    """How fast so many bytes are copied; the rate counts bytes read and bytes written."""

    bytes: int
    bytes_per_second: float


class Ceilings(RecordPart):
    """What the device can do at best.

    Attributes:
        bytes_per_second: the best copy among those larger than the caches; copies: all of them.
        flops_per_second: the best matrix product of each number type.
        launch_us: microseconds, the least of the launches: below it no step of one kernel can get.
    """

    bytes_per_second: float
    copies: tuple[CopyRate, ...] = ()
    flops_per_second: dict[str, float]
    launch_us: float

    def bandwidth(self, num_bytes: int, *, in_caches: bool) -> float:
        """Bytes a second that work reading and writing so many bytes is held against.

        Where what fits the caches is there when the work begins, as on a CPU, where nothing empties them, it is the
        best copy that moves at least as much; a smaller one could be nearer in the caches.
        """
        fitting = [one.bytes_per_second for one in self.copies if 2 * one.bytes >= num_bytes] if in_caches else []
        return max([self.bytes_per_second, *fitting])

    def fraction(self, cost: Cost, dtype: str, seconds: float, *, in_caches: bool = False) -> float | None:
        """The share of these seconds that the work takes at the least; None where nothing is counted."""
        least = cost.floor(self.bandwidth(cost.bytes, in_caches=in_caches), self.flops_per_second.get(dtype))
        return least / seconds if least and seconds else None


class Phase(RecordPart):
    """A part of the work, such as encoder, decoder, search, host; or forward, backward, optimizer.

    Attributes:
        seconds: of the whole run, or of one update; share: of that time.
        bytes, flops: the fewest; 0 where nothing is counted.
        fraction: of the roofline; None where nothing is counted.
    """

    name: str
    seconds: float
    share: float
    bytes: int = 0
    flops: int = 0
    fraction: float | None = None


class BenchRow(RecordPart):
    """One thing that was measured.

    Attributes:
        section: one of SECTIONS; name: of the operation or the work; case: what it was done on.
        by: who did it: mtcli, the machine, or a way to compute an operation, those of mtcli's own by their `impl`.
        ours: whether it is what mtcli takes on this device.
        status, why: whether it was found right, which is the condition for figures; a clause where it was not.
        note: what a reader must know to compare; prepared: whether it gets more than mtcli does, such as tensors that
            were padded beforehand.
        figures: by name with unit; the first is what the row is judged by.
        dtype: number type; bytes, flops: the fewest that the work takes, see mtcli.bench.roofline.
        fraction: of the roofline: the least time at the measured ceilings over the time it took; in training the MFU.
        phases: where the time goes.
    """

    section: str
    name: str
    case: str
    by: str = MTCLI
    ours: bool = True
    status: Status = "right"
    why: str | None = None
    note: str = ""
    prepared: bool = False
    figures: dict[str, Figure] = {}
    dtype: str = ""
    bytes: int = 0
    flops: int = 0
    fraction: float | None = None
    phases: tuple[Phase, ...] = ()

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is found by in another record."""
        return self.section, self.name, self.case, self.by

    @property
    def main(self) -> Figure | None:
        return next(iter(self.figures.values()), None)

    @property
    def is_fault(self) -> bool:
        """Whether mtcli gave no right result. What it does not take here need not run; if it does, it must be right."""
        own = self.by in (MTCLI, KERNEL, PADDED, DEFINITION)
        return (self.status == "wrong" and (own or self.ours)) or (self.status == "cannot run" and self.ours)

    @property
    def sentence(self) -> str:
        """How it ended."""
        by = "" if self.by == MTCLI else f", {self.by}"
        because = f": {self.why.rstrip('.')}" if self.why else ""
        return f"{self.section}: {self.name}, {self.case}{by}: {self.status}{because}."


class Workload(RecordPart):
    """What translate or train worked on: the model and the sentences in words, number type, and what was checked."""

    model: str
    dtype: str
    sentences: str
    checks: tuple[Check, ...] = ()


class BenchRecord(RecordPart):
    """All of it.

    Attributes:
        command: how it was called; date: ISO 8601, UTC; seconds: that all took; seed: of everything random.
        left_out: what the time did not suffice for, in words.
        workloads: of translate and train, if measured.
    """

    format_version: Literal[2] = FORMAT_VERSION
    command: str
    date: str
    seconds: float
    seed: int
    device: Device
    versions: dict[str, str]
    left_out: tuple[str, ...] = ()
    ceilings: Ceilings
    workloads: dict[str, Workload] = {}
    rows: tuple[BenchRow, ...]

    @property
    def sections(self) -> list[str]:
        """Those that were measured, in their order."""
        found = {row.section for row in self.rows} | set(self.workloads)
        return [name for name in SECTIONS if name in found]

    def of(self, section: str) -> list[BenchRow]:
        return [row for row in self.rows if row.section == section]

    def only(self, sections: tuple[str, ...]) -> "BenchRecord":
        """The record without other sections; the ceilings stay."""
        rows = tuple(row for row in self.rows if row.section in ("ceilings", *sections))
        workloads = {name: one for name, one in self.workloads.items() if name in sections}
        return self.model_copy(update={"rows": rows, "workloads": workloads})

    def faults(self) -> list[str]:
        """A sentence for every check that failed and for all of mtcli's own that gave no right result."""
        failed = [(name, one) for name, work in self.workloads.items() for one in work.checks if not one.passed]
        checks = [f"{name}: a check failed: {one.sentence}." for name, one in failed]
        return [row.sentence for row in self.rows if row.is_fault] + checks
