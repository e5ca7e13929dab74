"""What the decoder remembers between steps: the keys and values it need not compute again.

A slot is a place for one sentence in translation, with room for `beam` hypotheses.

Axes: S slots, K beam, H heads, D head size, T steps there is room for, N source rows, L longest source.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtcli_kernels.decoding_layout import SourceRegions
from mtcli_kernels.packing import Packing


@dataclass(frozen=True)
class CrossCache:
    """One decoder layer's view of the encoder's top layer, through this layer's own W_k and W_v.

    It is projected once a sentence and shared by all its hypotheses.

    Attributes:
        keys, values: [N, H, D]; which rows are a slot's, the cache's `regions` say.
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


@dataclass(frozen=True)
class JoinedProjections:
    """One decoder layer's W_q, W_k and W_v of self-attention, one below the other.

    Attributes:
        weight: [3 * d, d]; bias: [3 * d].
    """

    weight: Tensor
    bias: Tensor


class DecoderCache:
    """The caches of all decoder layers.

    Attributes:
        regions: which source rows belong to each slot.
        cross: one a layer; self_attention: one a layer; projections: one a layer.
        max_steps: T.
    """

    def __init__(
        self,
        memory_views: Sequence[tuple[Tensor, Tensor]],
        packing: Packing,
        projections: Sequence[JoinedProjections],
        *,
        beam: int,
        max_steps: int,
        head_major: bool,
    ) -> None:
        """Set up one slot for each sentence.

        Args:
            memory_views: keys and values [N, H, D] a layer, of the packed source tokens.
            packing: where each sentence lies in them.
            projections: of each layer's self-attention.
            beam: hypotheses a slot.
            max_steps: steps to make room for; `reserve` makes more.
            head_major: lay each head's rows side by side, sentences padded to one length: what the padded form of
                cross-attention reads without copying. The kernels take the packed rows as they are.
        """
        self.beam, self.max_steps, self.projections = beam, max_steps, projections
        if head_major:
            self.regions = _equal_regions(packing)
            self.cross = [CrossCache(*(_head_major(packing.pad(rows)) for rows in view)) for view in memory_views]
        else:
            starts, lengths = (x.to(torch.int32) for x in (packing.starts, packing.lengths))
            self.regions = SourceRegions(starts, lengths, packing.max_length)
            self.cross = [CrossCache(*view) for view in memory_views]
        self.self_attention = [self._empty_self_cache(keys) for keys, _ in memory_views]

    def _empty_self_cache(self, source_keys: Tensor) -> SelfCache:
        _, heads, head_dim = source_keys.shape
        shape = (self.regions.num_slots, heads, self.max_steps * self.beam, head_dim)
        return SelfCache(source_keys.new_empty(shape), source_keys.new_empty(shape))

    def reserve(self, steps: int) -> None:
        """Make room for so many steps, and then some."""
        if steps > self.max_steps:
            self.max_steps = max(steps, 2 * self.max_steps)
            self.self_attention = [
                SelfCache(*(_longer(x, self.max_steps * self.beam) for x in (cache.keys, cache.values)))
                for cache in self.self_attention
            ]

    def select(self, slots: Tensor) -> None:
        """Keep these slots [S'] int64, in this order."""
        regions, stride = self.regions, self.regions.stride
        lengths = regions.lengths[slots]
        if stride is None:
            self.regions = SourceRegions(regions.starts[slots], lengths, regions.max_length)
        else:
            starts = torch.arange(slots.numel(), dtype=torch.int32, device=slots.device) * stride
            self.regions = SourceRegions(starts, lengths, regions.max_length, stride)
            self.cross = [
                CrossCache(*(_select_regions(x, slots, stride) for x in (cache.keys, cache.values)))
                for cache in self.cross
            ]
        self.self_attention = [
            SelfCache(cache.keys.index_select(0, slots), cache.values.index_select(0, slots))
            for cache in self.self_attention
        ]


def _equal_regions(packing: Packing) -> SourceRegions:
    stride = packing.max_length
    starts = torch.arange(packing.num_sentences, dtype=torch.int32, device=packing.lengths.device) * stride
    return SourceRegions(starts, packing.lengths.to(torch.int32), stride, stride)


def _head_major(padded: Tensor) -> Tensor:
    """[B, L, H, D] -> [B*L, H, D], head by head in memory."""
    return padded.permute(2, 0, 1, 3).contiguous().flatten(1, 2).transpose(0, 1)


def _select_regions(rows: Tensor, slots: Tensor, stride: int) -> Tensor:
    """These slots' rows of a head-major [S*L, H, D], laid out the same way."""
    by_slot: Tensor = rows.transpose(0, 1).unflatten(1, (-1, stride))  # [H, S, L, D]
    return by_slot.index_select(1, slots).flatten(1, 2).transpose(0, 1)


def _longer(entries: Tensor, length: int) -> Tensor:
    longer = entries.new_empty(*entries.shape[:2], length, entries.shape[3])
    longer[:, :, : entries.shape[2]] = entries
    return longer
