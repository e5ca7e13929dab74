"""Where decoding finds its keys and values: each slot's source, and each hypothesis's own past.

A slot is a place for one sentence that is being translated, with room for `beam` hypotheses.

Axes: S slots, K beam, H heads, D head size, T most steps, N rows of source keys.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from mtcli_kernels.dense import masked_score


@dataclass(frozen=True, eq=False)
class SourceRegions:
    """Which rows of the cached encoder keys and values [N, H, D] belong to each slot.

    Attributes:
        starts: [S] int32, each slot's first row.
        lengths: [S] int32, its rows; 0 for an empty slot, whose attention is 0.
        max_length: the largest of them, or a bound of it.
        stride: rows from one slot's start to the next, where all are equally far apart, from row 0 on; the padded
            form then reads the keys where they are. None anywhere else.
    """

    starts: Tensor
    lengths: Tensor
    max_length: int
    stride: int | None = None
    _bias: dict[torch.dtype, Tensor] = field(default_factory=dict, repr=False)

    @property
    def num_slots(self) -> int:
        return self.lengths.numel()

    @cached_property
    def may_have_empty_slots(self) -> bool:
        """Whether a slot is empty; on a GPU, which is not asked because the host would wait for the answer, True."""
        return self.lengths.device.type != "cpu" or not bool(self.lengths.all())

    @cached_property
    def may_be_ragged(self) -> bool:
        """Whether a slot has fewer rows than `max_length`; on a GPU True, as above."""
        return self.lengths.device.type != "cpu" or not bool((self.lengths == self.max_length).all())

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
    _cap: dict[torch.dtype, Tensor] = field(default_factory=dict, repr=False)

    @cached_property
    def are_at_one_step(self) -> bool:
        """Whether every slot stands at `longest`; a GPU is not asked, the host would wait for the answer: False."""
        return self.positions.device.type == "cpu" and bool((self.positions == self.longest).all())

    @cached_property
    def may_have_empty_slots(self) -> bool:
        """Whether a slot is empty; on a GPU True, as above."""
        return self.positions.device.type != "cpu" or bool((self.positions < 0).any())

    @property
    def beam(self) -> int:
        return self.ancestry.shape[1]

    def bias(self, dtype: torch.dtype) -> Tensor:
        """[S, K, (longest + 1) * K]: 0 on a hypothesis's own entries, else `masked_score`; computed once a step."""
        if dtype not in self._bias:
            steps = torch.arange(self.longest + 1, device=self.ancestry.device)
            places = torch.arange(self.beam, device=self.ancestry.device)
            own = self.ancestry[:, :, : self.longest + 1, None] == places  # [S, K, steps, K]
            own &= (steps <= self.positions[:, None])[:, None, :, None]
            zeros = torch.zeros(own.shape, dtype=dtype, device=own.device)
            self._bias[dtype] = zeros.masked_fill_(~own, masked_score(dtype)).flatten(2)
        return self._bias[dtype]

    def cap(self, dtype: torch.dtype) -> Tensor:
        """The same as an upper bound: infinity on own entries, else `masked_score`; computed once a step."""
        if dtype not in self._cap:
            bias = self.bias(dtype)
            self._cap[dtype] = torch.where(bias == 0, math.inf, bias)
        return self._cap[dtype]
