"""PyTorch's own attention for packed sentences."""

from collections.abc import Callable
from typing import Any

import torch


def varlen_attn_on(device: str) -> Callable[..., Any] | None:
    """`varlen_attn`; None on a CPU, which it is not made for, and in a PyTorch older than 2.10."""
    if torch.device(device).type == "cpu":
        return None
    try:
        from torch.nn.attention.varlen import varlen_attn  # here, since it imports PyTorch's compiler
    except ImportError:
        return None
    return varlen_attn
