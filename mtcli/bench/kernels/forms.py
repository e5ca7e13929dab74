"""An operation on inputs of one shape, and the ways to compute it that meet there."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from mtcli.bench.contest.timing import Within
from mtcli.bench.record.schema import DEFINITION, KERNEL, PADDED
from mtcli.bench.roofline.formulas import Cost
from mtcli.bench.settings import BenchSettings
from mtcli_kernels.dispatch import triton_obstacle

Outputs = tuple[Tensor, ...]


def case_size(settings: BenchSettings) -> Literal["toy", "cpu", "gpu"]:
    """Which of an operation's plans is measured."""
    return "toy" if settings.toy else "gpu" if settings.on_gpu else "cpu"


class Lineup(NamedTuple):
    """mtcli's forms that take part, by their `impl`: what it takes on the device, and whose error sets the limit."""

    ours: str
    plain: str


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
    outputs: Callable[[Any, Any], Outputs] = lambda inputs, returned: returned
    within: Within = contextlib.nullcontext
    note: str = ""
    prepared: bool = False


@dataclass(frozen=True, kw_only=True)
class OperationCase:
    """One operation on inputs of one shape.

    Attributes:
        name: for people; training: whether gradients are computed, too.
        dtype: their number type; arithmetic: the one whose roundings are allowed, where it is another.
        cost: the fewest bytes and operations.
        make: inputs from a seed, random each time.
        exact: the outputs, computed in float32 or better.
        variants: those of the line-up among them.
        before: puts back what a call destroys.
        in_graph: also time it inside a CUDA graph.
    """

    name: str
    training: bool = False
    dtype: torch.dtype
    cost: Cost
    make: Callable[[int], Any]
    exact: Callable[[Any], Outputs]
    variants: tuple[Variant, ...]
    lineup: Lineup = KERNELS
    before: Callable[[Any], None] | None = None
    arithmetic: torch.dtype | None = None
    in_graph: bool = False

    @property
    def title(self) -> str:
        return f"{self.name}, forward{' and backward' if self.training else ''}"


def own_forms(
    device: str, run: Callable[..., Any], notes: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Variant]:
    """mtcli's forms on a device; `run` takes the inputs and `impl`."""
    for impl in lineup_on(device):
        yield Variant(name=impl, run=partial(run, impl=impl), note=notes.get(impl, ""))


def exactly(run: Callable[..., Outputs], tensors: tuple[str, ...], inputs: Any) -> Outputs:
    """What a form of mtcli's gives in the exact number type for inputs that hold these tensors."""
    impl, dtype = exact_form(getattr(inputs, tensors[0]).device)
    return run(replace(inputs, **{name: getattr(inputs, name).to(dtype) for name in tensors}), impl=impl)


def random_normal(device: str, dtype: torch.dtype, seed: int, spread: float = 1.0) -> Callable[..., Tensor]:
    """A function from sizes to normally distributed numbers of this standard deviation."""
    generator = torch.Generator(device).manual_seed(seed)
    return lambda *sizes: torch.randn(*sizes, generator=generator, device=device).mul_(spread).to(dtype)


def with_gradients(out: Tensor, leaves: tuple[Tensor, ...], grad: Tensor) -> Outputs:
    """The output, and the leaves' gradients where they are wanted."""
    return (out, *torch.autograd.grad(out, leaves, grad)) if out.requires_grad else (out,)
