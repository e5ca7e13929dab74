"""The output layer: decoder states to logits, the widest matrix product of a decoding step."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_PACKED_DTYPES = (torch.float32, torch.bfloat16)


class OutputLayer(nn.Linear):
    """[N, d] -> [N, V], one row of the weight [V, d] for each piece of the vocabulary; a bias [V] if asked for.

    A library that multiplies by a matrix this wide first rearranges it, at every call, which for a few rows of states
    takes longer than the product. So on a CPU `pack` makes a copy that is arranged already (oneDNN's packed layout);
    it takes as much memory as the weight again. What the copy gives has been seen to round alike for any number of
    rows, one included; decoding finds out whether that holds where it runs (mtcli/decoding/independence.py).
    """

    def __init__(self, d_model: int, vocabulary: int, *, bias: bool = False) -> None:
        super().__init__(d_model, vocabulary, bias=bias)
        self._packed: Tensor | None = None
        self._packed_from: tuple[int, int] | None = None

    def pack(self) -> None:
        """Prepare for decoding with the weight as it is now; to be called again when it has changed."""
        if _packs(self.weight):
            self._packed = torch.ops.mkldnn._reorder_linear_weight(self.weight.detach(), None)
            self._packed_from = self._source()

    @property
    def is_packed(self) -> bool:
        """Whether `forward` uses a packed copy, outside of training."""
        return self._packed is not None and self._packed_from == self._source()

    def _source(self) -> tuple[int, int]:
        """Another one tells of another weight; the same one not of the same, as fused optimizers write unnoticed."""
        weight = self.weight
        return weight.data_ptr(), 0 if weight.is_inference() else weight._version

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled() or not self.is_packed:
            return F.linear(x, self.weight, self.bias)
        return torch.ops.mkldnn._linear_pointwise(x, self._packed, self.bias, "none", [], "")  # type: ignore[no-any-return]

    def train(self, mode: bool = True) -> "OutputLayer":
        if mode:
            self._packed = None
        return super().train(mode)

    def __getstate__(self) -> dict[str, Any]:
        """For copies: a packed tensor cannot be copied."""
        return {**self.__dict__, "_packed": None}


def _packs(weight: Tensor) -> bool:
    if weight.device.type != "cpu" or weight.dtype not in _PACKED_DTYPES:
        return False
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False  # a PyTorch built without oneDNN, such as some for ARM
    return weight.dtype == torch.float32 or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
