"""What `mtcli bench` measures on and for how long, which every section is told."""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SECTIONS = ("ceilings", "kernels", "translate", "train")
OPERATIONS = ("masked_attention", "cross_entropy", "beam_step", "cross_attention_decode", "self_attention_decode")


def silent(words: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, kw_only=True)
class BenchSettings:
    """What to measure on and for how long.

    Attributes:
        torch_device: cpu, cuda or cuda:N; seed: of everything random.
        ends_at: when the section must have ended, as `time.monotonic()` counts.
        toy: all at the smallest sizes and as few times as possible: for tests; the figures mean nothing.
        dtype: number type to translate and train in; None for what mtcli takes by default on the device.
        preset: of the random model; model: a model directory to measure instead.
        input: a text file with the lines to translate with it.
        operations: of OPERATIONS, those whose kernels are measured; all if none is named.
        say: tells a person what is being measured.
    """

    torch_device: str
    seed: int
    ends_at: float = 0.0
    toy: bool = False
    dtype: str | None = None
    preset: str = "base"
    model: Path | None = None
    input: Path | None = None
    operations: tuple[str, ...] = ()
    say: Callable[[str], None] = silent

    @property
    def on_gpu(self) -> bool:
        return self.torch_device.startswith("cuda")

    def left(self) -> float:
        """Seconds until the section must have ended; negative when it is late."""
        return self.ends_at - time.monotonic()

    def within(self, seconds: float) -> "BenchSettings":
        """The same with so many seconds left."""
        return dataclasses.replace(self, ends_at=time.monotonic() + seconds)
