"""Packed batches: the tokens of all sentences end to end, with no padding between them.

Axes: B sentences, L tokens of the longest one, N tokens in all, H heads, D head size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Intervals:
    """Which keys each query sees, as half-open intervals of rows of the packed tensors, all int32.

    Attributes:
        lo, hi: [N_q]: query t sees keys lo[t] <= j < hi[t]. A query that sees none has lo = `NOTHING`, hi = 0, so
            that it widens no tile's sweep.
        query_lo, query_hi: [N_k]: every query that sees key j lies in query_lo[j] <= t < query_hi[j].
    """

    lo: Tensor
    hi: Tensor
    query_lo: Tensor
    query_hi: Tensor


NOTHING = 2**31 - 1


@dataclass(frozen=True, eq=False)
class HeadRows:
    """Where each token's heads lie when every sentence and head has a padded matrix of its own.

    Attributes:
        shape: B, H and L.
        sources: [B * H * L] int64, which of the packed [N * H] rows each padded one repeats.
        places: [N * H] int64, which of the padded rows each packed one is.
        is_uniform: whether nothing is padding.
        empty: [B] bool, which sentences have no tokens; None where all have some.
    """

    shape: tuple[int, int, int]
    sources: Tensor
    places: Tensor
    is_uniform: bool
    empty: Tensor | None

    def repeat(self, packed: Tensor) -> Tensor:
        """[N, H, D] -> [B, H, L, D], a copy whose padding repeats its sentence's last token, zero if it has none.

        That is a single copy, where zeros would have to be written first; and no sentence gets another's numbers.
        """
        padded = packed.reshape(-1, packed.shape[-1]).index_select(0, self.sources).view(*self.shape, -1)
        return padded if self.empty is None else padded.masked_fill_(self.empty[:, None, None, None], 0)

    def spread(self, packed: Tensor) -> Tensor:
        """[N, H, D] -> [B, H, L, D], a copy, with zeros in the padding."""
        if self.is_uniform:
            return self.repeat(packed)
        rows = packed.reshape(-1, packed.shape[-1])
        return _spread(rows, self.places, self.sources.numel()).view(*self.shape, -1)

    def unpad(self, padded: Tensor) -> Tensor:
        """[B, H, L, D] -> [N, H, D], a copy."""
        rows = padded.reshape(-1, padded.shape[-1]).index_select(0, self.places)
        return rows.view(-1, self.shape[1], padded.shape[-1])


@dataclass(frozen=True, eq=False)
class Packing:
    """Where each sentence lies in a packed tensor.

    Attributes:
        lengths: [B] int64, tokens of each sentence; zeros are allowed.
        max_length: L, the largest of them: the padded layout is so wide.
        total: N, their sum.
    """

    lengths: Tensor
    max_length: int
    total: int
    _intervals: dict[tuple[int, bool], Intervals] = field(default_factory=dict, repr=False)
    _seen: list["Packing"] = field(default_factory=list, repr=False)  # other packings whose id is a key above
    _head_rows: dict[int, HeadRows] = field(default_factory=dict, repr=False)

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
    def starts(self) -> Tensor:
        """[B] int64: each sentence's first row."""
        return self.lengths.cumsum(0) - self.lengths

    @cached_property
    def positions(self) -> Tensor:
        """[N] int64: each token's place in its own sentence, from 0."""
        return torch.arange(self.total, device=self.lengths.device) - self.per_token(self.starts)

    def per_token(self, per_sentence: Tensor) -> Tensor:
        """[B] -> [N]: each sentence's number, once for each of its tokens."""
        return per_sentence.repeat_interleave(self.lengths, output_size=self.total)

    def intervals(self, keys: "Packing", causal: bool) -> Intervals:
        """What these sentences' tokens, as queries, see of `keys`; computed once for all layers.

        Sentence i's queries see sentence i's keys: all, or when `causal` those up to their own place.
        """
        if (id(keys), causal) not in self._intervals:
            self._intervals[id(keys), causal] = self._see(keys, causal)
            if keys is not self:  # which must not hold itself: torch.compile would follow it for ever
                self._seen.append(keys)
        return self._intervals[id(keys), causal]

    def _see(self, keys: "Packing", causal: bool) -> Intervals:
        lo = self.per_token(keys.starts)
        hi = self.per_token(keys.starts + keys.lengths)
        query_lo = keys.per_token(self.starts)
        query_hi = keys.per_token(self.starts + self.lengths)
        if causal:
            hi = torch.minimum(hi, lo + self.positions + 1)
            query_lo = query_lo + keys.positions
        blind = hi <= lo
        lo, hi = lo.masked_fill(blind, NOTHING), hi.masked_fill(blind, 0)
        unseen = query_hi <= query_lo
        query_lo, query_hi = query_lo.masked_fill(unseen, NOTHING), query_hi.masked_fill(unseen, 0)
        return Intervals(*(bound.to(torch.int32) for bound in (lo, hi, query_lo, query_hi)))

    @cached_property
    def padded_places(self) -> Tensor:
        """[N] int64: each token's row in the padded layout flattened to [B*L]."""
        return self.valid.view(-1).nonzero().view(-1)

    @cached_property
    def has_empty(self) -> bool:
        """Whether a sentence has no tokens, where there are tokens; asks the device unless all are equally long."""
        return not self.is_uniform and not bool(self.lengths.all())

    def head_rows(self, heads: int) -> HeadRows:
        """Where the rows of so many heads lie; computed once for all layers. There must be a token."""
        if heads not in self._head_rows:
            numbers = torch.arange(heads, device=self.lengths.device)
            places = torch.arange(self.max_length, device=self.lengths.device)
            last = (self.lengths - 1).clamp(min=0)
            tokens = (self.starts[:, None] + places.minimum(last[:, None])).clamp(max=self.total - 1)  # [B, L]
            sources = tokens[:, None, :] * heads + numbers[:, None]  # [B, H, L]
            sentences = self.per_token(torch.arange(self.num_sentences, device=self.lengths.device))
            matrices = sentences[:, None] * heads + numbers  # [N, H]
            rows = matrices * self.max_length + self.positions[:, None]
            shape = self.num_sentences, heads, self.max_length
            empty = self.lengths == 0 if self.has_empty else None
            self._head_rows[heads] = HeadRows(shape, sources.view(-1), rows.view(-1), self.is_uniform, empty)
        return self._head_rows[heads]

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
    spread = rows.new_zeros(num_places, *rows.shape[1:])
    if torch.compiler.is_compiling():  # torch 2.11 compiles the write in place into gradients of zero
        return spread.index_copy(0, places, rows)
    return spread.index_copy_(0, places, rows)


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
