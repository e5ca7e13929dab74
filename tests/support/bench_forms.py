"""A made-up operation: one way is right, one wrong, one cannot run; run as a module of operations, one breaks."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import torch

from mtcli.bench.kernels.forms import ON_CPU, OperationCase, Variant
from mtcli.bench.record.schema import DEFINITION, PADDED
from mtcli.bench.roofline.formulas import Cost
from mtcli.bench.settings import BenchSettings


def double(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return (2 * x,)


def fail(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    raise RuntimeError("it needs\nanother GPU")


def die(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    os.kill(os.getpid(), signal.SIGSEGV)
    return (x,)


def case(name: str = "doubling", ours: Any = double, **changes: Any) -> OperationCase:
    fields: dict[str, Any] = {
        "name": name,
        "dtype": torch.float32,
        "cost": Cost(bytes=64, flops=8),
        "make": lambda seed: torch.randn(8, generator=torch.Generator().manual_seed(seed)),
        "exact": double,
        "variants": (
            Variant(name=PADDED, run=ours),
            Variant(name=DEFINITION, run=lambda x: (x + x,)),
            Variant(name="wrong", run=lambda x: (3 * x,)),
            Variant(name="failing", run=fail),
        ),
        "lineup": ON_CPU,
    }
    return OperationCase(**fields | changes)


def cases(settings: BenchSettings) -> Iterator[OperationCase]:
    """As an operation: the second case ends its process."""
    yield case("first")
    yield case("second", die)
    yield case("third")
