"""Random inputs of the decoding steps' attention: sources and beams as a search leaves them, and traps beside them.

Axes: S slots, K beam, H heads, D head size, N source rows, T steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mtcli_kernels.decoding_layout import BeamPlaces, SourceRegions

LAYOUTS = ("packed", "scattered", "equal", "head-major")


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
        layout: `packed` end to end; `scattered` in another order with gaps; `equal` distances, row by row in memory;
            `head-major` the same, head by head in memory.
        behind: what stands in rows that belong to no slot.
    """
    generator = torch.Generator().manual_seed(seed)
    stride = max(lengths, default=0) + 3 if layout in ("equal", "head-major") else None
    starts, num_rows = _starts(lengths, layout, stride, generator)
    own = torch.zeros(num_rows, dtype=torch.bool)
    for start, length in zip(starts, lengths, strict=True):
        own[start : start + length] = True
    q = _normal(generator, len(lengths) * beam, heads, head_dim)
    k, v = (_normal(generator, num_rows, heads, head_dim) for _ in range(2))
    k[~own], v[~own] = behind, behind
    q, k, v = (x.to(dtype).to(device) for x in (q, k, v))
    if layout == "head-major":
        k, v = (x.transpose(0, 1).contiguous().transpose(0, 1) for x in (k, v))
    starts_tensor, lengths_tensor = (torch.tensor(x, dtype=torch.int32, device=device) for x in (starts, lengths))
    return CrossCase(q, k, v, SourceRegions(starts_tensor, lengths_tensor, max(lengths, default=0), stride))


def _starts(
    lengths: Sequence[int], layout: str, stride: int | None, generator: torch.Generator
) -> tuple[list[int], int]:
    if stride is not None:
        return [slot * stride for slot in range(len(lengths))], len(lengths) * stride
    starts, row = [0] * len(lengths), 0
    scattered = layout == "scattered"
    order = torch.randperm(len(lengths), generator=generator).tolist() if scattered else range(len(lengths))
    for slot in order:
        row += int(torch.randint(4, (), generator=generator)) if scattered else 0
        starts[slot] = row
        row += lengths[slot]
    return starts, row


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
    places = BeamPlaces(ancestry.to(device), torch.tensor(positions, dtype=torch.int32, device=device), longest)
    return SelfCase(*(x.to(dtype).to(device) for x in (q, k, v, *caches)), places)


def _normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)
