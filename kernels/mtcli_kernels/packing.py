"""Packed batches: the tokens of all sentences end to end, with no padding between them.

Axes: B sentences, L tokens of the longest one, N tokens in all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Packing:
    """Where each sentence lies in a packed tensor.

    Attributes:
        lengths: [B] int64, tokens of each sentence; zeros are allowed.
        max_length: L, the largest of them.
        total: N, their sum.
    """

    lengths: Tensor
    max_length: int
    total: int

    @classmethod
    def of(cls, lengths: Sequence[int], device: torch.device | str = "cpu") -> "Packing":
        """Lay out sentences of these lengths, in tokens, in this order."""
        return cls(torch.tensor(lengths, dtype=torch.int64, device=device), max(lengths, default=0), sum(lengths))

    @property
    def num_sentences(self) -> int:
        return self.lengths.numel()

    @property
    def is_uniform(self) -> bool:
        """Whether all sentences are equally long, so that packed and padded layouts coincide."""
        return self.total == self.num_sentences * self.max_length

    @cached_property
    def valid(self) -> Tensor:
        """[B, L] bool: which places of the padded layout hold a token."""
        places = torch.arange(self.max_length, device=self.lengths.device)
        return places < self.lengths[:, None]

    @cached_property
    def positions(self) -> Tensor:
        """[N] int64: each token's place in its own sentence, from 0."""
        places = torch.arange(self.max_length, device=self.lengths.device)
        return places.expand(self.num_sentences, -1)[self.valid]

    @cached_property
    def padded_places(self) -> Tensor:
        """[N] int64: each token's row in the padded layout flattened to [B*L]."""
        return self.valid.view(-1).nonzero().view(-1)

    def pad(self, packed: Tensor) -> Tensor:
        """[N, ...] -> [B, L, ...], zeros in the padding; differentiable."""
        if not self.is_uniform:
            places = self.padded_places
            packed = _Spread.apply(packed, places, self.num_sentences * self.max_length)  # type: ignore[no-untyped-call]
        return packed.view(self.num_sentences, self.max_length, *packed.shape[1:])

    def unpad(self, padded: Tensor) -> Tensor:
        """[B, L, ...] -> [N, ...]; differentiable."""
        rows = padded.reshape(-1, *padded.shape[2:])
        if self.is_uniform:
            return rows
        return _Collect.apply(rows, self.padded_places)  # type: ignore[no-any-return, no-untyped-call]


def _spread(rows: Tensor, places: Tensor, num_places: int) -> Tensor:
    return rows.new_zeros(num_places, *rows.shape[1:]).index_copy_(0, places, rows)


class _Spread(torch.autograd.Function):
    """Copy rows to their places. Autograd's own backward of indexing adds rows one by one, which is slow."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, places: Tensor, num_places: int) -> Tensor:
        ctx.save_for_backward(places)
        return _spread(rows, places, num_places)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (places,) = ctx.saved_tensors
        return grad.index_select(0, places), None, None


class _Collect(torch.autograd.Function):
    """The inverse of `_Spread`."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(places)
        ctx.num_places = rows.shape[0]
        return rows.index_select(0, places)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (places,) = ctx.saved_tensors
        return _spread(grad, places, ctx.num_places), None
