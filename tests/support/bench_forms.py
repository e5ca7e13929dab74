"""A made-up operation for a contest: one contestant is right, one wrong, one cannot run."""

from typing import Any

import torch

from mtcli.bench.kernels.comparison import Case, Contestant
from mtcli.bench.record.rows import EAGER, OURS
from mtcli.bench.roofline.formulas import Cost

BEST = {"bytes_per_second": 1e9, "flops_per_second": {"float32": 1e9}}


def double(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return (2 * x,)


def fail(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    raise RuntimeError("it needs\nanother GPU")


def case(name: str = "doubling", **changes: Any) -> Case:
    fields: dict[str, Any] = {
        "name": name,
        "direction": "forward",
        "shape": {"numbers": 8},
        "dtype": torch.float32,
        "cost": Cost(bytes=64, flops=8),
        "make": lambda seed: torch.randn(8, generator=torch.Generator().manual_seed(seed)),
        "exact": double,
        "contestants": (
            Contestant(name=OURS, run=double),
            Contestant(name=EAGER, run=lambda x: (x + x,)),
            Contestant(name="wrong", run=lambda x: (3 * x,)),
            Contestant(name="failing", run=fail),
        ),
    }
    return Case(**fields | changes)
