"""What the decoder remembers between steps: the keys and values it need not compute again.

A slot is a place for one sentence in translation, with room for `beam` hypotheses. Sentences come into slots and
leave them while others go on; what a sentence leaves behind is overwritten by the next.

Axes: S slots, K beam, H heads, D head size, T steps there is room for, N packed source tokens, L source tokens there
is room for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from mtcli_kernels.decoding_layout import SourceRegions
from mtcli_kernels.packing import Packing


@dataclass(frozen=True)
class CrossCache:
    """One decoder layer's view of the encoder's top layer, through this layer's own W_k and W_v.

    It is projected once a sentence and shared by all its hypotheses.

    Attributes:
        keys, values: [S, H, L, D]; how many of the L are a slot's, the cache's `lengths` say.
    """

    keys: Tensor
    values: Tensor


@dataclass(frozen=True)
class SelfCache:
    """One decoder layer's keys and values of the target tokens so far; entries never move.

    Attributes:
        keys, values: [S, H, T * K, D]: entry t * K + p is what place p wrote at step t.
    """

    keys: Tensor
    values: Tensor


@dataclass(frozen=True, eq=False, kw_only=True)
class DecoderCache:
    """The caches of all decoder layers. All numbers in them are finite from the start.

    Attributes:
        beam: K.
        cross, self_attention: one a layer.
        lengths: [S] int32, source tokens of each slot; 1 where there was no sentence yet.
        longest: a bound of the lengths, at most L.
    """

    beam: int
    cross: Sequence[CrossCache]
    self_attention: Sequence[SelfCache]
    lengths: Tensor
    longest: int

    @classmethod
    def empty(
        cls,
        like: Tensor,
        *,
        layers: int,
        heads: int,
        head_dim: int,
        slots: int,
        beam: int,
        max_steps: int,
        max_source: int,
    ) -> "DecoderCache":
        """Make slots without sentences, of the number type and on the device of `like`.

        Args:
            like: any weight of the network.
            layers: of the decoder.
            heads, head_dim, slots, beam, max_steps, max_source: H, D, S, K, T and L.
        """

        def zeros(length: int) -> Tensor:
            return like.new_zeros(slots, heads, length, head_dim)

        return cls(
            beam=beam,
            cross=[CrossCache(zeros(max_source), zeros(max_source)) for _ in range(layers)],
            self_attention=[SelfCache(zeros(max_steps * beam), zeros(max_steps * beam)) for _ in range(layers)],
            lengths=torch.ones(slots, dtype=torch.int32, device=like.device),
            longest=1,
        )

    @property
    def num_slots(self) -> int:
        return self.lengths.shape[0]

    @property
    def max_steps(self) -> int:
        return self.self_attention[0].keys.shape[2] // self.beam

    @property
    def max_source(self) -> int:
        return self.cross[0].keys.shape[2]

    @cached_property
    def regions(self) -> SourceRegions:
        """Which source rows belong to each slot; kept from when it is first asked for: after a change, ask `first`."""
        return SourceRegions(None, self.lengths, self.longest)

    def admit(self, slots: Tensor, views: Sequence[tuple[Tensor, Tensor]], packing: Packing) -> None:
        """Put sentences into slots, whatever was in them.

        Args:
            slots: [B] int64, distinct.
            views: keys and values [N, H, D] a layer, of the packed source tokens.
            packing: where each of the B sentences lies in them; its width is at most L. Rows behind the last do not
                count.
        """
        for cache, view in zip(self.cross, views, strict=True):
            for target, rows in zip((cache.keys, cache.values), view, strict=True):
                padded = packing.pad(rows[: packing.total]).transpose(1, 2)  # [B, H, width, D]
                target.narrow(2, 0, packing.max_length).index_copy_(0, slots, padded)
        self.lengths.index_copy_(0, slots, packing.lengths.to(torch.int32))

    def move(self, sources: Tensor, targets: Tensor) -> None:
        """Copy whole slots in place, slot sources[i] to slot targets[i]; [n] int64 each, no slot in both."""
        for tensor in self._tensors():
            tensor.index_copy_(0, targets, tensor.index_select(0, sources))

    def first(self, num_slots: int, longest: int) -> "DecoderCache":
        """The first slots, as a view of the same memory, with a bound of their source lengths."""

        def view(tensor: Tensor) -> Tensor:
            return tensor[:num_slots]

        return replace(
            self,
            cross=[CrossCache(view(cache.keys), view(cache.values)) for cache in self.cross],
            self_attention=[SelfCache(view(cache.keys), view(cache.values)) for cache in self.self_attention],
            lengths=view(self.lengths),
            longest=longest,
        )

    def grown(self, *, slots: int, max_steps: int, max_source: int) -> "DecoderCache":
        """A copy that has room for so much, no less than now."""
        entries = max_steps * self.beam
        lengths = self.lengths.new_ones(slots)
        lengths[: self.num_slots] = self.lengths
        return replace(
            self,
            cross=[CrossCache(*(_larger(x, slots, max_source) for x in (c.keys, c.values))) for c in self.cross],
            self_attention=[
                SelfCache(*(_larger(x, slots, entries) for x in (c.keys, c.values))) for c in self.self_attention
            ],
            lengths=lengths,
        )

    def _tensors(self) -> list[Tensor]:
        caches: list[CrossCache | SelfCache] = [*self.cross, *self.self_attention]
        return [self.lengths, *(tensor for cache in caches for tensor in (cache.keys, cache.values))]


def _larger(entries: Tensor, slots: int, length: int) -> Tensor:
    """[slots, H, length, D] that begins with entries [S, H, L, D], zeros elsewhere."""
    if entries.shape[0] == slots and entries.shape[2] == length:
        return entries
    larger = entries.new_zeros(slots, entries.shape[1], length, entries.shape[3])
    larger[: entries.shape[0], :, : entries.shape[2]] = entries
    return larger
