"""What a section of `mtcli bench` is told, for tests: made-up ceilings, the smallest sizes."""

import time
from typing import Any

from mtcli.bench.record.schema import Ceilings, Phase
from mtcli.bench.settings import Asked

CEILINGS = Ceilings(
    copy=(),
    matmul=(),
    launch=(),
    bytes_per_second=1e10,
    flops_per_second={"float32": 1e11, "bfloat16": 2e11},
    launch_microseconds=1.0,
)
LONG = 600.0  # seconds, of which a test takes few


def asked(seconds: float = LONG, **changes: Any) -> Asked:
    fields = {"torch_device": "cpu", "seed": 1, "toy": True, "dtype": "float32", "preset": "tiny"}
    return Asked(**{**fields, "ends_at": time.monotonic() + seconds, **changes})


def whole(phases: tuple[Phase, ...]) -> bool:
    """Whether phases share all of the time."""
    return bool(phases) and abs(sum(phase.share for phase in phases) - 1) < 1e-6
