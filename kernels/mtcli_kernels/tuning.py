"""Tile sizes: a table for each kernel, looked up by the GPU's generation, the number type and the head size.

There is no search at run time: a search costs seconds at every start and makes timings, and with float
arithmetic even results, depend on the machine's mood. Each operation's `tiles.py` holds its table, and every
entry says on what it was measured, or that it was not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

UNMEASURED = "not measured on a GPU; compiles without spills"


@dataclass(frozen=True, kw_only=True)
class Tile:
    """How one kernel is compiled for one kind of input.

    Attributes:
        kernel: name of the `@triton.jit` function.
        arch: oldest compute capability it is meant for, as 80 or 90; a newer GPU takes the newest entry that fits.
        bits: width of the inputs' number type, 16 or 32.
        head_dim: largest head size it is meant for, after padding to a power of two; None where there are no heads.
        blocks: the kernel's block sizes, by the names of its constexpr arguments.
        num_warps, num_stages: as Triton takes them.
        evidence: what it was timed on, with what result; `UNMEASURED` otherwise.
    """

    kernel: str
    arch: int
    bits: int
    head_dim: int | None = None
    blocks: Mapping[str, int] = field(default_factory=dict)
    num_warps: int = 4
    num_stages: int = 2
    evidence: str = UNMEASURED

    @property
    def launch(self) -> dict[str, int]:
        """Keyword arguments of a launch: block sizes, warps and stages."""
        return {**self.blocks, "num_warps": self.num_warps, "num_stages": self.num_stages}


def padded_head_dim(head_dim: int) -> int:
    """The head size as the tensor cores take it: a power of two, 16 at least."""
    return max(16, 1 << (head_dim - 1).bit_length())


class TileTable:
    """The tiles of one operation."""

    def __init__(self, tiles: Sequence[Tile]) -> None:
        self.tiles = tuple(tiles)
        self.pick = cache(self._pick)

    def _pick(self, kernel: str, capability: tuple[int, int], bits: int, head_dim: int | None = None) -> Tile:
        """The entry for a kernel on a GPU of this compute capability, for inputs of this width and head size."""
        arch = 10 * capability[0] + capability[1]
        padded = None if head_dim is None else padded_head_dim(head_dim)
        fitting = [
            tile
            for tile in self.tiles
            if tile.kernel == kernel
            and tile.arch <= arch
            and tile.bits == bits
            and (padded is None or (tile.head_dim is not None and padded <= tile.head_dim))
        ]
        if not fitting:
            raise LookupError(f"no tile of {kernel} fits sm_{arch}, {bits} bits, head size {head_dim}.")
        newest = max(tile.arch for tile in fitting)
        return min((tile for tile in fitting if tile.arch == newest), key=lambda tile: tile.head_dim or 0)
