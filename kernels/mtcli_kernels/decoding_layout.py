"""Where decoding finds its keys and values: each slot's source, and each hypothesis's own past.

A slot is a place for one sentence that is being translated, with room for `beam` hypotheses.

Axes: S slots, K beam, H heads, D head size, T most steps, N rows of source keys, L source rows a slot has room for.
"""

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from mtcli_kernels.dense import masked_score


@dataclass(frozen=True, eq=False)
class SourceRegions:
    """Which cached encoder keys and values belong to each slot.

    Attributes:
        starts: [S] int32, each slot's first row in packed keys and values [N, H, D]; None where they are kept slot by
            slot, [S, H, L, D], and a slot's rows are the first of its own L.
        lengths: [S] int32, its rows; 0 for an empty slot, whose attention is 0.
        max_length: the largest of them, or a bound of it.
    """

    starts: Tensor | None
    lengths: Tensor
    max_length: int
    _bias: dict[torch.dtype, Tensor] = field(default_factory=dict, repr=False)

    @property
    def num_slots(self) -> int:
        return self.lengths.numel()

    @cached_property
    def may_have_empty_slots(self) -> bool:
        """Whether a slot is empty; on a GPU, which is not asked because the host would wait for the answer, True."""
        return self.lengths.device.type != "cpu" or not bool(self.lengths.all())

    def bias(self, dtype: torch.dtype) -> Tensor:
        """[S, max_length]: 0 on a slot's own rows, `masked_score` behind; computed once for all layers and steps."""
        if dtype not in self._bias:
            behind = torch.arange(self.max_length, device=self.lengths.device) >= self.lengths[:, None]
            zeros = torch.zeros(behind.shape, dtype=dtype, device=self.lengths.device)
            self._bias[dtype] = zeros.masked_fill_(behind, masked_score(dtype))
        return self._bias[dtype]


@dataclass(frozen=True, eq=False)
class BeamPlaces:
    """One step's view of the beam cache [S, H, T*K, D], whose entry t*K + p is what place p wrote at step t.

    Entries never move. When hypotheses are reordered, only the table changes that says which were theirs.

    Attributes:
        ancestry: [S, K, T] int32: the place that holds hypothesis k's entry of step t, for t up to the slot's
            position; at the position itself it is k.
        positions: [S] int32: the step at which this step's token is written; -1 for an empty slot.
        longest: a bound of the positions, known to the host: the cache holds at least longest + 1 steps.
    """

    ancestry: Tensor
    positions: Tensor
    longest: int
    _bias: dict[torch.dtype, Tensor] = field(default_factory=dict, repr=False)
    _by_head: dict[torch.dtype, Tensor] = field(default_factory=dict, repr=False)
    _rows: dict[tuple[int, int], Tensor] = field(default_factory=dict, repr=False)
    _flat_steps: dict[tuple[int, int], Tensor] = field(default_factory=dict, repr=False)

    @cached_property
    def may_have_empty_slots(self) -> bool:
        """Whether a slot is empty; on a GPU, which is not asked because the host would wait for the answer, True."""
        return self.positions.device.type != "cpu" or bool((self.positions < 0).any())

    @property
    def beam(self) -> int:
        return self.ancestry.shape[1]

    @property
    def num_entries(self) -> int:
        """Entries up to `longest`."""
        return (self.longest + 1) * self.beam

    @cached_property
    def _own(self) -> Tensor:
        """[S, K, steps * K] bool: which entries up to `longest` are a hypothesis's own."""
        steps = torch.arange(self.longest + 1, device=self.ancestry.device)
        places = torch.arange(self.beam, device=self.ancestry.device)
        own = self.ancestry[:, :, : self.longest + 1, None] == places  # [S, K, steps, K]
        own &= (steps <= self.positions[:, None])[:, None, :, None]
        return own.flatten(2)

    def bias(self, dtype: torch.dtype) -> Tensor:
        """[S, K, num_entries]: 0 on a hypothesis's own entries, else `masked_score`; computed once a step."""
        if dtype not in self._bias:
            zeros = torch.zeros(self._own.shape, dtype=dtype, device=self._own.device)
            self._bias[dtype] = zeros.masked_fill_(~self._own, masked_score(dtype))
        return self._bias[dtype]

    @cached_property
    def living(self) -> Tensor:
        """[S, W] int64: the entries of each slot that some hypothesis owns, in order; then any, for equal widths.

        Most branches of a search die soon, so that there is little more than one entry a step. Waits for the device.
        """
        owned = self._own.any(1)  # [S, entries]
        ends = owned.cumsum(1)
        width = max(1, int(ends[:, -1].max()))
        # What is not owned goes behind the last column, which is dropped
        targets = torch.where(owned, ends - 1, width)
        entries = torch.arange(owned.shape[1], device=owned.device).expand_as(owned)
        return entries.new_zeros(owned.shape[0], width + 1).scatter_(1, targets, entries)[:, :width]

    def living_rows(self, heads: int, capacity: int) -> Tensor:
        """[S*H*W] int64: where the living entries are in a contiguous cache of so many entries seen as [S*H*T*K, D]."""
        if (heads, capacity) not in self._rows:
            first = torch.arange(self.positions.shape[0] * heads, device=self.positions.device) * capacity
            rows = first.view(-1, heads, 1) + self.living[:, None]  # [S, H, W]
            self._rows[heads, capacity] = rows.flatten()
        return self._rows[heads, capacity]

    def living_bias(self, dtype: torch.dtype, heads: int) -> Tensor:
        """[S*H, K, W]: 0 on a hypothesis's own entries among the living, else `masked_score`; computed once a step."""
        if dtype not in self._by_head:
            living, own = self.living[:, None].expand(-1, self.beam, -1), self._own
            seen = own.gather(2, living)
            count = own.any(1).sum(1)[:, None, None]
            seen &= torch.arange(living.shape[2], device=own.device) < count
            bias = torch.zeros(seen.shape, dtype=dtype, device=own.device).masked_fill_(~seen, masked_score(dtype))
            self._by_head[dtype] = bias.repeat_interleave(heads, 0)
        return self._by_head[dtype]

    @cached_property
    def slots(self) -> Tensor:
        """[S] int64: 0, 1, 2 and so on."""
        return torch.arange(self.positions.shape[0], device=self.positions.device)

    @cached_property
    def steps(self) -> Tensor:
        """[S] int64: each slot's position, 0 for an empty slot."""
        return self.positions.clamp(min=0).to(torch.int64)

    def flat_steps(self, heads: int, max_steps: int) -> Tensor:
        """[S*H] int64: where each slot's and head's new entries go in a contiguous cache seen as [S*H*T, K*D]."""
        if (heads, max_steps) not in self._flat_steps:
            first = torch.arange(self.positions.shape[0] * heads, device=self.positions.device) * max_steps
            self._flat_steps[heads, max_steps] = first + self.steps.repeat_interleave(heads)
        return self._flat_steps[heads, max_steps]
