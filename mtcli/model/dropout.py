"""Dropout that costs a CPU little: eight keep-or-drop decisions from each 64-bit random number."""

from typing import Any

import torch
from torch import Tensor, nn


def random_bytes(count: int, device: torch.device) -> Tensor:
    """[count] uint8, uniform, from the device's default generator."""
    words = torch.empty((count + 7) // 8, dtype=torch.int64, device=device)
    return words.random_(-(2**63), None).view(torch.uint8)[:count]


class _ByteDropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, threshold: int) -> Tensor:
        keep = random_bytes(x.numel(), x.device).view(x.shape) >= threshold
        mask = keep.to(x.dtype).mul_(256 / (256 - threshold))
        ctx.save_for_backward(mask)
        return x * mask

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (mask,) = ctx.saved_tensors
        return grad * mask, None


class Dropout(nn.Module):
    """Zero each element with probability p and scale the others up (Srivastava et al. 2014).

    On a CPU p is rounded to a multiple of 1/256, and the scale is exact for the rounded p.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        if x.device.type != "cpu":
            return torch.dropout(x, self.p, train=True)
        return _ByteDropout.apply(x, min(255, max(1, round(self.p * 256))))  # type: ignore[no-any-return, no-untyped-call]

    def extra_repr(self) -> str:
        return f"p={self.p}"
