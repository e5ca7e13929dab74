"""Matrix products with a weight that, on a CPU, may be arranged for them beforehand: prepacked, as libraries say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_PREPACKED_DTYPES = (torch.float32, torch.bfloat16)


class Linear(nn.Linear):
    """[N, in] -> [N, out] by a weight [out, in] and, unless it has none, a bias [out].

    A library that multiplies by a wide matrix first rearranges it, at every call, which for a few rows takes longer
    than the product. So on a CPU `prepack` makes a copy that is arranged already (oneDNN's layout); it takes as
    much memory as the weight again, and a call some microseconds more. What the copy gives has been seen to round
    alike for any number of rows from 2 on, where plain products do from 12 on; decoding finds out whether that holds
    where it runs (mtcli/decoding/shapes.py).
    """

    def __init__(self, in_features: int, out_features: int, *, bias: bool = True) -> None:
        super().__init__(in_features, out_features, bias=bias)
        self._prepacked: Tensor | None = None
        self._prepacked_from: tuple[int, int] | None = None

    def prepack(self) -> None:
        """Prepare for products without gradients, with the weight as it is now; to be called again when it changed."""
        self._prepacked, self._prepacked_from = prepacked(self.weight), self._source()

    @property
    def is_prepacked(self) -> bool:
        """Whether `forward` uses a prepacked copy where no gradients are taken."""
        return self._prepacked is not None and self._prepacked_from == self._source()

    def _source(self) -> tuple[int, int]:
        """Another one tells of another weight; the same one not of the same, as fused optimizers write unnoticed."""
        weight = self.weight
        return weight.data_ptr(), 0 if weight.is_inference() else weight._version

    def forward(self, x: Tensor) -> Tensor:
        if self._prepacked is None or torch.is_grad_enabled() or not self.is_prepacked:
            return F.linear(x, self.weight, self.bias)
        return product(x, self._prepacked, self.bias)

    def train(self, mode: bool = True) -> "Linear":
        if mode:
            self._prepacked = None
        return super().train(mode)

    def __getstate__(self) -> dict[str, Any]:
        """For copies: a prepacked tensor cannot be copied."""
        return {**self.__dict__, "_prepacked": None}


@dataclass(frozen=True)
class JoinedLinear:
    """Several layers' products with one input as one, without gradients.

    Attributes:
        weight: [out, in], the layers' weights one below the other; bias: [out], or None.
        prepacked: the weight, arranged; None where it is not.
    """

    weight: Tensor
    bias: Tensor | None
    prepacked: Tensor | None

    @classmethod
    def of(cls, layers: Sequence[Linear], *, prepack: bool) -> "JoinedLinear":
        """As the layers are now; all of them have a bias. `prepack` asks for a prepacked copy where there is one."""
        weight = torch.cat([layer.weight for layer in layers])
        return cls(weight, torch.cat([layer.bias for layer in layers]), prepacked(weight) if prepack else None)

    @property
    def is_prepacked(self) -> bool:
        return self.prepacked is not None

    def __call__(self, x: Tensor) -> Tensor:
        """[N, out] from x [N, in]."""
        if self.prepacked is None:
            return F.linear(x, self.weight, self.bias)
        return product(x, self.prepacked, self.bias)


def prepacked(weight: Tensor) -> Tensor | None:
    """A copy of a weight [out, in] as `product` wants it; None where this device or PyTorch has no such thing."""
    if not can_prepack(weight):
        return None
    return torch.ops.mkldnn._reorder_linear_weight(weight.detach(), None)  # type: ignore[no-any-return]


def product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """[N, out] from x [N, in], a weight that is `prepacked`, and a bias [out]."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")  # type: ignore[no-any-return]


def can_prepack(weight: Tensor) -> bool:
    """Whether this device and PyTorch arrange a weight of this number type."""
    if weight.device.type != "cpu" or weight.dtype not in _PREPACKED_DTYPES:
        return False
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False  # a PyTorch built without oneDNN, such as some for ARM
    return weight.dtype == torch.float32 or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
