"""Which implementation of an operation runs, by a written rule, and the reason for the answer.

Every operation offers some of these forms, all with the same arguments:

    reference   the definition in plain PyTorch, one sentence or row at a time; slow, and the oracle of the others
    padded      vectorised PyTorch over padded tensors; the fast form on a CPU
    sdpa        PyTorch's scaled_dot_product_attention; for GPUs that the kernels are not made for
    triton      the CUDA kernels

`auto` takes `padded` on a CPU; on a GPU `triton`, and where that cannot run, `sdpa` for attention and `padded`
for the rest. A form that is asked for by name runs, or raises `UnavailableError`: it never gives way silently.
"""

import importlib
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import torch

IMPLEMENTATIONS = ("auto", "triton", "sdpa", "padded", "reference")
KERNEL_DTYPES = (torch.float16, torch.bfloat16, torch.float32)
OLDEST_CAPABILITY = (8, 0)  # below sm_80 the tiles spill, and there is no bfloat16
LARGEST_HEAD = 128

F = TypeVar("F", bound=Callable[..., Any])

_log = logging.getLogger(__name__)


class UnavailableError(RuntimeError):
    """An implementation was asked for by name and cannot run here; the message says why and what could."""


@dataclass(frozen=True)
class Choice:
    """What runs, and why, as a clause such as `the device is a CPU`."""

    impl: str
    reason: str


_ON_CPU = Choice("padded", "the device is a CPU")


def constant_when_compiled(function: F) -> F:
    """Have torch.compile call the function while it traces, and take its result for a constant.

    As torch.compiler.assume_constant_result does, which would import PyTorch's compiler, a second at every start.
    """
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return function


def choose(
    op: str, impl: str, offered: tuple[str, ...], device: torch.device, obstacles: Mapping[str, str | None]
) -> Choice:
    """Apply the rule above to one operation.

    Args:
        op: its name, for messages.
        impl: what the caller asked for, `auto` included.
        offered: the forms that this operation has.
        device: where its tensors are.
        obstacles: by form, a sentence that says why it cannot run on these inputs; None where it can.

    Raises:
        ValueError: `impl` is none of `offered`, nor `auto`.
        UnavailableError: `impl` was named and has an obstacle.
    """
    if impl == "auto":
        choice = _rule(offered, device, obstacles)
        _log_once(op, choice)
        return choice
    if impl not in offered:
        raise ValueError(f"impl = {impl!r} is not one of {op}'s: {', '.join(('auto', *offered))}.")
    if reason := obstacles.get(impl):
        raise UnavailableError(f"{op} cannot run as {impl!r}: {reason}")
    return Choice(impl, "it was asked for")


def _rule(offered: tuple[str, ...], device: torch.device, obstacles: Mapping[str, str | None]) -> Choice:
    if device.type == "cpu":
        return _ON_CPU
    reason = obstacles.get("triton")
    if reason is None:
        return Choice("triton", f"the device is {_device_name(device)}")
    for impl in ("sdpa", "padded"):
        if impl in offered and obstacles.get(impl) is None:
            return Choice(impl, f"the kernels cannot run: {reason}")
    return Choice("reference", f"nothing faster can run: {reason}")


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


@cache
def _log_once(op: str, choice: Choice) -> None:
    _log.info("%s: %s, because %s", op, choice.impl, choice.reason)


def is_interpreting() -> bool:
    """Whether Triton's kernels run in its interpreter, on CPU tensors: TRITON_INTERPRET=1 before their import."""
    return os.environ.get("TRITON_INTERPRET") == "1"


def capability(device: torch.device) -> tuple[int, int]:
    """The GPU's compute capability, by which tiles are chosen; the interpreter takes those of the newest GPUs."""
    return torch.cuda.get_device_capability(device) if device.type == "cuda" else (9, 0)


@cache
def _import_obstacle() -> str | None:
    try:
        importlib.import_module("triton")
    except ImportError as error:
        return f"Triton cannot be imported ({error}); its wheels are for Linux alone."
    return None


def triton_obstacle(device: torch.device, dtype: torch.dtype, head_dim: int = 0) -> str | None:
    """A sentence when the kernels cannot run on such tensors; None when they can.

    Args:
        device, dtype: of the floating-point inputs.
        head_dim: D, the size of an attention head; 0 for operations that are not attention.
    """
    return _triton_obstacle(device, dtype, head_dim, is_interpreting())


@cache
def _triton_obstacle(device: torch.device, dtype: torch.dtype, head_dim: int, interpreting: bool) -> str | None:
    if dtype not in KERNEL_DTYPES:
        return f"the kernels compute float16, bfloat16 and float32, not {str(dtype).removeprefix('torch.')}."
    if head_dim > LARGEST_HEAD:
        return f"the kernels' tiles hold heads of up to {LARGEST_HEAD} numbers; these have {head_dim}."
    if device.type == "cpu":
        if not interpreting:
            return "the tensors are on the CPU, where only Triton's interpreter runs (TRITON_INTERPRET=1)."
        if dtype == torch.bfloat16:
            return "Triton's interpreter computes bfloat16 wrongly; use float32 or float16."
    elif device.type == "cuda":
        if torch.version.hip is not None:
            return "the kernels are made for NVIDIA GPUs, and this PyTorch is built for AMD's."
        capability = torch.cuda.get_device_capability(device)
        if capability < OLDEST_CAPABILITY:
            return f"the kernels need a GPU of compute capability 8.0 or newer; this one has {_dotted(capability)}."
    else:
        return f"the kernels run on CUDA devices, not on {device.type}."
    return _import_obstacle()


def _dotted(capability: tuple[int, int]) -> str:
    return ".".join(map(str, capability))
