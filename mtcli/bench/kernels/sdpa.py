"""PyTorch's own attention, one backend at a time."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

BACKENDS = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "math": SDPBackend.MATH,
}
_ON_CPU = ("flash", "math")


def backends_on(device: str) -> tuple[str, ...]:
    """Names of those that PyTorch has for the device."""
    return _ON_CPU if torch.device(device).type == "cpu" else tuple(BACKENDS)


def only(backend: str) -> Callable[[], AbstractContextManager[Any]]:
    """A context in which scaled_dot_product_attention has this backend alone."""
    return partial(sdpa_kernel, BACKENDS[backend])


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool = False) -> Tensor:
    """[B, H, T, D]; `mask` is true where a query sees a key."""
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
