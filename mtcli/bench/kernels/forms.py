"""The ways to compute an operation that meet on a device, and the inputs they meet on."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import torch
from torch import Tensor

from mtcli.bench.contest.timing import Within
from mtcli.bench.record.schema import DEFINITION, KERNEL, PADDED
from mtcli.bench.roofline.formulas import Cost
from mtcli.bench.settings import BenchSettings
from mtcli_kernels.dispatch import triton_obstacle


class CaseSize(Enum):
    """How large an operation's cases are."""

    TOY = "toy"
    CPU = "cpu"
    GPU = "gpu"

    @classmethod
    def of(cls, settings: BenchSettings) -> "CaseSize":
        if settings.toy:
            return cls.TOY
        return cls.GPU if settings.on_gpu else cls.CPU


@dataclass(frozen=True)
class Lineup:
    """mtcli's forms that take part; what else does, the operations know. Both names are values of `impl`.

    Attributes:
        ours: what mtcli takes on the device.
        plain: what it is checked against: its error sets the limit.
    """

    ours: str
    plain: str

    @property
    def forms(self) -> tuple[str, str]:
        return self.ours, self.plain


KERNELS = Lineup(KERNEL, PADDED)  # also in Triton's interpreter, where no timing means anything
ON_CPU = Lineup(PADDED, DEFINITION)  # what is plain elsewhere is the fast form here, and checked by the definition
OLD_GPU = Lineup("auto", PADDED)  # where the kernels cannot run: `sdpa` for attention, `padded` for the rest


def lineup_on(torch_device: str) -> Lineup:
    """Who takes part on a device, by what mtcli takes there."""
    device = torch.device(torch_device)
    if triton_obstacle(device, torch.float32) is None:
        return KERNELS
    return ON_CPU if device.type == "cpu" else OLD_GPU


def exact_form(device: torch.device) -> tuple[str, torch.dtype]:
    """The form and number type that give the exact outputs.

    On a CPU the definition in float64. On a GPU that takes too long at full size: there it is the plain form in
    float32, which the kernels' tests hold against the definition.
    """
    return (DEFINITION, torch.float64) if device.type == "cpu" else (PADDED, torch.float32)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to compute an operation, as a contestant.

    Attributes:
        name: for mtcli's own forms their `impl`.
        run: from a case's inputs; this is timed.
        outputs: from the inputs and what `run` returned to what is compared with the exact outputs.
        within: a context that `run` needs, not timed.
        note: what a reader must know to compare.
        prepared: whether it gets more than mtcli does, such as tensors that are padded already.
    """

    name: str
    run: Callable[[Any], Any]
    outputs: Callable[[Any, Any], tuple[Tensor, ...]] = lambda inputs, returned: returned
    within: Within = contextlib.nullcontext
    note: str = ""
    prepared: bool = False


@dataclass(frozen=True, kw_only=True)
class OperationCase:
    """One operation on inputs of one shape.

    Attributes:
        name: for people.
        direction: "forward" or "forward and backward".
        dtype: their number type; arithmetic: the number type whose roundings are allowed, where it is another.
        cost: the fewest bytes and operations.
        make: inputs from a seed, random each time.
        exact: the outputs, computed in float32 or better.
        variants: those of the line-up among them.
        lineup: which of them is what mtcli takes, and which one's error sets the limit.
        before: puts back what a call destroys.
        in_graph: also time it inside a CUDA graph.
    """

    name: str
    direction: str = "forward"
    dtype: torch.dtype
    cost: Cost
    make: Callable[[int], Any]
    exact: Callable[[Any], tuple[Tensor, ...]]
    variants: tuple[Variant, ...]
    lineup: Lineup = KERNELS
    before: Callable[[Any], None] | None = None
    arithmetic: torch.dtype | None = None
    in_graph: bool = False

    @property
    def title(self) -> str:
        return f"{self.name}, {self.direction}"
