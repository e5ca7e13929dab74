"""What a stage is told: where to read and write, how long it may take, and whether this is a rehearsal."""

import dataclasses
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Context:
    """Passed from process to process as JSON.

    Attributes:
        root: the checkout.
        results: folder for the results files.
        work: folder for anything that need not be kept.
        data: where the corpora lie; None where no stage needs them.
        budget: seconds that the stage may take.
        ends_at: when it must have ended, as `time.time()` counts.
        rehearsal: on the CPU, with the kernels in Triton's interpreter; the figures mean nothing.
        toy: at toy sizes, as in rehearsals and under a memory checker.
        seed: of everything random.
        ops: the operations to look at; empty for all.
        command: how the driver was called, for the results files.
        device, versions: the machine, as the results files name it.
    """

    root: Path
    results: Path
    work: Path
    data: Path | None
    budget: float
    ends_at: float
    rehearsal: bool
    toy: bool
    seed: int
    ops: tuple[str, ...] = ()
    command: str = ""
    device: dict[str, Any] = dataclasses.field(default_factory=dict)
    versions: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def torch_device(self) -> str:
        return "cpu" if self.rehearsal else "cuda"

    def left(self) -> float:
        """Seconds until the stage must have ended; negative when it is late."""
        return self.ends_at - time.time()

    def within(self, seconds: float) -> "Context":
        """The same with at most so many seconds left."""
        return dataclasses.replace(self, budget=seconds, ends_at=min(self.ends_at, time.time() + seconds))

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> "Context":
        fields = json.loads(text)
        for name in ("root", "results", "work", "data"):
            fields[name] = fields[name] and Path(fields[name])
        return cls(**fields | {"ops": tuple(fields["ops"])})
