"""Tile sizes of self-attention at decoding.

A tile holds the hypotheses of one slot, 16 rows for up to 16 of them, and BLOCK_N cache entries: BLOCK_N / beam steps.
There is little to compute for each byte, so small programs, many of them on a multiprocessor, hide the memory's
latency.
"""

from mtcli_kernels.tuning import Tile, TileTable

FORWARD = "self_attention_decode_fwd_kernel"
HEADS = (16, 32, 64, 128)


# Entries of a block, warps and stages, by width and head size, so that beams of up to 64 fit into registers. Float32
# products run without tensor cores and keep their operands there: fewer entries, more threads.
_SIZES = {
    (16, 16): (32, 4, 2),
    (16, 32): (32, 2, 2),
    (16, 64): (32, 4, 2),
    (16, 128): (32, 4, 2),
    (32, 16): (16, 2, 2),
    (32, 32): (16, 8, 2),
    (32, 64): (16, 8, 2),
    (32, 128): (16, 8, 3),
}


def _forward(arch: int, bits: int, head_dim: int) -> Tile:
    block_n, num_warps, num_stages = _SIZES[bits, head_dim]
    return Tile(
        kernel=FORWARD,
        arch=arch,
        bits=bits,
        head_dim=head_dim,
        blocks={"BLOCK_N": block_n},
        num_warps=num_warps,
        num_stages=num_stages,
    )


TILES = TileTable([_forward(arch, bits, head) for arch in (80, 90) for bits in (16, 32) for head in HEADS])
