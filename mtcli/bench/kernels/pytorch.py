"""PyTorch's own ways to compute what mtcli's kernels do: attention, a backend at a time, and its compiler."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from mtcli.bench.kernels.forms import Outputs, Variant, case_size
from mtcli.bench.settings import BenchSettings
from mtcli_kernels.dispatch import is_interpreting

Attention = Callable[..., Any]
BACKENDS = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "math": SDPBackend.MATH,
}
_ON_CPU = ("flash", "math")
COMPILER_SECONDS = 12.0  # with less time left than this it is left out: one shape may take as long


def backends_on(device: str) -> tuple[str, ...]:
    """Names of those that PyTorch has for the device."""
    return _ON_CPU if torch.device(device).type == "cpu" else tuple(BACKENDS)


def only(backend: str) -> Callable[[], AbstractContextManager[Any]]:
    """A context in which scaled_dot_product_attention has this backend alone."""
    return partial(sdpa_kernel, BACKENDS[backend])


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool = False) -> Tensor:
    """[B, H, T, D]; `mask` is true where a query sees a key."""
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)


def sdpa_variants(device: str, run: Callable[[Any], Tensor], note: str = "") -> Iterator[Variant]:
    """PyTorch's attention of a decoding step with each of its backends; `run` returns [S, H, K, D]."""
    for backend in backends_on(device):
        yield Variant(name=f"sdpa {backend}", run=run, outputs=_by_row, within=only(backend), note=note)


def _by_row(inputs: Any, out: Tensor) -> Outputs:
    """[S, H, K, D] -> [S*K, H, D]."""
    return (out.transpose(1, 2).flatten(0, 1),)


def varlen_attn_on(device: str) -> Attention | None:
    """Attention for packed sentences; None on a CPU, which it is not made for, and in a PyTorch older than 2.10."""
    if torch.device(device).type == "cpu":
        return None
    try:
        from torch.nn.attention.varlen import varlen_attn  # here, since it imports PyTorch's compiler
    except ImportError:
        return None
    return varlen_attn


def compiler_takes_part(settings: BenchSettings) -> bool:
    """Whether there is time for torch.compile; on a CPU only to try it out in Triton's interpreter."""
    return (case_size(settings) == "gpu" or is_interpreting()) and settings.left() > COMPILER_SECONDS


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function compiled for exactly these shapes; in Triton's interpreter, without the code generator."""
    return torch.compile(function, dynamic=False, backend="aot_eager" if is_interpreting() else "inductor")
