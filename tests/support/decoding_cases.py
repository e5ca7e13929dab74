"""Random inputs of the decoding steps' attention: sources and beams as a search leaves them, and traps beside them.

Axes: S slots, K beam, H heads, D head size, N packed source rows, L source rows a slot has room for, T steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mtcli_kernels.decoding_layout import BeamPlaces, SourceRegions

BY_SLOT = ("by slot", "by slot with room")
LAYOUTS = ("packed", "scattered", *BY_SLOT)


@dataclass(frozen=True)
class CrossCase:
    """Arguments of `cross_attention_decode`."""

    q: Tensor
    k: Tensor
    v: Tensor
    regions: SourceRegions

    @property
    def arguments(self) -> tuple[Tensor, Tensor, Tensor, SourceRegions]:
        return self.q, self.k, self.v, self.regions

    def to(self, dtype: torch.dtype) -> "CrossCase":
        return replace(self, q=self.q.to(dtype), k=self.k.to(dtype), v=self.v.to(dtype))


def cross_case(
    lengths: Sequence[int],
    *,
    beam: int = 4,
    heads: int = 2,
    head_dim: int = 16,
    layout: str = "packed",
    behind: float = float("nan"),
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    seed: int = 1,
) -> CrossCase:
    """Slots with sources of these lengths.

    Args:
        layout: `packed` end to end; `scattered` in another order with gaps; `by slot`, [S, H, L, D]; `by slot with
            room`, the first slots of a larger cache, whose L is larger than `max_length`.
        behind: what stands in rows that belong to no slot; by slot, up to `max_length`, with NaN behind.
    """
    generator = torch.Generator().manual_seed(seed)
    q = _normal(generator, len(lengths) * beam, heads, head_dim)
    starts = None if layout in BY_SLOT else _starts(lengths, layout, generator)
    if starts is None:
        more = 3 if layout == "by slot with room" else 0
        k, v = (_by_slot(generator, lengths, more, heads, head_dim, behind) for _ in range(2))
    else:
        k, v = (_packed(generator, lengths, starts, heads, head_dim, behind) for _ in range(2))
    q, k, v = (x.to(dtype).to(device) for x in (q, k, v))
    if starts is None:
        k, v = k[: len(lengths)], v[: len(lengths)]
    starts_tensor = None if starts is None else torch.tensor(starts, dtype=torch.int32, device=device)
    lengths_tensor = torch.tensor(lengths, dtype=torch.int32, device=device)
    return CrossCase(q, k, v, SourceRegions(starts_tensor, lengths_tensor, max(lengths, default=0)))


def _starts(lengths: Sequence[int], layout: str, generator: torch.Generator) -> list[int]:
    starts, row = [0] * len(lengths), 0
    scattered = layout == "scattered"
    order = torch.randperm(len(lengths), generator=generator).tolist() if scattered else range(len(lengths))
    for slot in order:
        row += int(torch.randint(4, (), generator=generator)) if scattered else 0
        starts[slot] = row
        row += lengths[slot]
    return starts


def _packed(
    generator: torch.Generator, lengths: Sequence[int], starts: Sequence[int], heads: int, head_dim: int, behind: float
) -> Tensor:
    """[N, H, D], up to the last source's end."""
    ends = [start + length for start, length in zip(starts, lengths, strict=True)]
    own = torch.zeros(max(ends, default=0), dtype=torch.bool)
    for start, end in zip(starts, ends, strict=True):
        own[start:end] = True
    rows = _normal(generator, own.numel(), heads, head_dim)
    rows[~own] = behind
    return rows


def _by_slot(
    generator: torch.Generator, lengths: Sequence[int], more: int, heads: int, head_dim: int, behind: float
) -> Tensor:
    """[S, H, L, D] for the lengths, and so many slots and rows more."""
    longest = max(lengths, default=0)
    rows = torch.full((len(lengths) + more, heads, longest + more, head_dim), torch.nan, dtype=torch.float64)
    rows[: len(lengths), :, :longest] = behind
    for slot, length in enumerate(lengths):
        rows[slot, :, :length] = _normal(generator, heads, length, head_dim)
    return rows


@dataclass(frozen=True)
class SelfCase:
    """Arguments of `self_attention_decode`."""

    q: Tensor
    k: Tensor
    v: Tensor
    k_cache: Tensor
    v_cache: Tensor
    places: BeamPlaces

    @property
    def arguments(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, BeamPlaces]:
        return self.q, self.k, self.v, self.k_cache, self.v_cache, self.places

    def copy(self, dtype: torch.dtype | None = None) -> "SelfCase":
        """The same with caches of its own, since the operation writes to them."""
        tensors = (self.q, self.k, self.v, self.k_cache, self.v_cache)
        return SelfCase(*(x.to(dtype or x.dtype, copy=True) for x in tensors), self.places)


def self_case(
    positions: Sequence[int],
    *,
    beam: int = 4,
    heads: int = 2,
    head_dim: int = 16,
    capacity: int | None = None,
    longest: int | None = None,
    unwritten: float = float("nan"),
    unowned: float | None = None,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    seed: int = 1,
) -> SelfCase:
    """Slots at these positions, -1 for an empty one, whose hypotheses had random parents at every step.

    Args:
        capacity: T; by default one step more than needed.
        longest: as in `BeamPlaces`; by default the largest position, and 0 at least.
        unwritten: what stands in cache entries from the slot's position on.
        unowned: what stands in earlier entries that no hypothesis descends from; None for ordinary numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    longest = max([0, *positions]) if longest is None else longest
    capacity = longest + 2 if capacity is None else capacity
    num_slots = len(positions)
    ancestry = torch.full((num_slots, beam, capacity), 10**6, dtype=torch.int32)  # behind the position: never read
    q, k, v = (_normal(generator, num_slots * beam, heads, head_dim) for _ in range(3))
    caches = [_normal(generator, num_slots, heads, capacity * beam, head_dim) for _ in range(2)]
    for slot, position in enumerate(positions):
        if position >= 0:
            ancestry[slot, :, position] = torch.arange(beam)
            ancestry[slot, :, :position] = torch.randint(beam, (beam, position), generator=generator)
        for cache in caches:
            cache[slot, :, max(position, 0) * beam :] = unwritten
            if unowned is not None:
                entries = torch.arange(max(position, 0))[:, None] * beam + torch.arange(beam)  # [position, K]
                owned = (ancestry[slot, :, : max(position, 0), None] == torch.arange(beam)).any(0)
                cache[slot, :, entries[~owned]] = unowned
    positions_tensor = torch.tensor(positions, dtype=torch.int32, device=device)
    places = BeamPlaces(ancestry.to(device), positions_tensor, longest)
    return SelfCase(*(x.to(dtype).to(device) for x in (q, k, v, *caches)), places)


def _normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)
