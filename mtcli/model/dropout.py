"""Dropout whose random numbers belong to a token, not to its place in a batch.

What is dropped follows from the seed of the step, the layer, and the token's sentence and place in it. So it does not
matter which sentences are computed together, nor on which of several processes: all follow the same training. And it
costs a CPU little: one pool of random bytes a step, of which every token takes a row for each layer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Side = Literal["src", "tgt"]

_POOL_BYTES = 2**20
_MULTIPLIER = 0x1E3779B97F4A7C15  # odd, and its bits look random


@dataclass(frozen=True)
class _Step:
    """The random numbers of one step.

    Attributes:
        bytes: [_POOL_BYTES] uint8, uniform.
        keys: each side's tokens, [N] int64, random to the eye.
        tables: by threshold, width and number type: rows of 0 and the scale.
    """

    bytes: Tensor
    keys: dict[Side, Tensor]
    tables: dict[tuple[int, int, torch.dtype], Tensor] = field(default_factory=dict)

    def table(self, threshold: int, width: int, dtype: torch.dtype) -> Tensor:
        """[rows, width]: the pool as masks."""
        if (threshold, width, dtype) not in self.tables:
            rows = max(1, self.bytes.numel() // width)
            pool = self.bytes.repeat(-(-width // self.bytes.numel()))[: rows * width]
            self.tables[threshold, width, dtype] = (
                (pool >= threshold).to(dtype).mul_(256 / (256 - threshold)).view(rows, width)
            )
        return self.tables[threshold, width, dtype]


class DropoutMasks:
    """Gives the dropout layers of one network their masks."""

    def __init__(self) -> None:
        self._step: _Step | None = None

    @contextmanager
    def of_step(self, seed: int, src_keys: Tensor, tgt_keys: Tensor) -> Iterator[None]:
        """Inside, dropout depends on these numbers alone; outside, on PyTorch's default generator.

        Args:
            seed: of the step, from 0 to 2**63 - 1.
            src_keys, tgt_keys: [N_src] and [N_tgt] int64, one for each token of the packed batch (`token_keys`).
        """
        device = src_keys.device
        generator = torch.Generator(device).manual_seed(seed)
        words = torch.empty(_POOL_BYTES // 8, dtype=torch.int64, device=device)
        words.random_(-(2**63), None, generator=generator)
        self._step = _Step(words.view(torch.uint8), {"src": src_keys, "tgt": tgt_keys})
        try:
            yield
        finally:
            self._step = None

    def mask(self, x: Tensor, side: Side, layer: int, threshold: int) -> Tensor | None:
        """[N, width] like x: 0 or the scale; None outside of a step."""
        if self._step is None:
            return None
        table = self._step.table(threshold, x.shape[1], x.dtype)
        # The upper half of a product with an odd number, seen as a fraction of all rows
        hashed = (self._step.keys[side] * ((2 * layer + 1) * _MULTIPLIER % 2**63)).bitwise_right_shift_(32)
        rows = hashed.bitwise_and_(2**32 - 1).mul_(table.shape[0]).bitwise_right_shift_(32)
        return table.index_select(0, rows)


class Dropout(nn.Module):
    """Zero each element with probability p and scale the others up (Srivastava et al. 2014).

    In a step of `DropoutMasks`, p is rounded to a multiple of 1/256, and the scale is exact for the rounded p.

    Attributes:
        masks: of the network this layer is part of.
        side: whose tokens its rows are; layer: tells it from the network's other dropout layers.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.masks, self.layer = DropoutMasks(), 0
        self.side: Side = "tgt"

    def forward(self, x: Tensor) -> Tensor:
        """x [N, width] with some of its elements dropped."""
        if not self._drops():
            return x
        mask = self._mask(x)
        return F.dropout(x, self.p) if mask is None else x * mask

    def add(self, x: Tensor, y: Tensor) -> Tensor:
        """x + forward(y), both [N, width]."""
        if not self._drops():
            return x + y
        mask = self._mask(y)
        if mask is None or x.dtype != y.dtype:
            return x + (F.dropout(y, self.p) if mask is None else y * mask)
        return torch.addcmul(x, y, mask)

    def _drops(self) -> bool:
        return self.training and self.p > 0

    def _mask(self, x: Tensor) -> Tensor | None:
        return self.masks.mask(x, self.side, self.layer, min(255, max(1, round(self.p * 256))))

    def extra_repr(self) -> str:
        return f"p={self.p}"
