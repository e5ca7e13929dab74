"""Tile sizes of cross-attention at decoding.

A tile holds the hypotheses of one slot, 16 rows for up to 16 of them, and BLOCK_N source rows. There is little to
compute for each byte, so small programs, many of them on a multiprocessor, hide the memory's latency.
"""

from mtcli_kernels.tuning import Tile, TileTable

FORWARD, COMBINE = "cross_attention_decode_fwd_kernel", "cross_attention_decode_combine_kernel"
HEADS = (16, 32, 64, 128)

# Source rows of one program: longer sources are split among several. A constant, and a multiple of every BLOCK_N: where
# a line is cut must not depend on what else is in the batch, since the sums round by it.
ROWS_PER_SPLIT = 128


def _forward(arch: int, bits: int, head_dim: int) -> Tile:
    # Float32 products run without tensor cores and keep their operands in registers: more threads for the same tile
    wide_heads = {(16, 128): (64, 4), (32, 64): (16, 4), (32, 128): (32, 8)}
    block_n, num_warps = wide_heads.get((bits, head_dim), (32, 2))
    blocks = {"BLOCK_N": block_n, "ROWS_PER_SPLIT": ROWS_PER_SPLIT}
    return Tile(kernel=FORWARD, arch=arch, bits=bits, head_dim=head_dim, blocks=blocks, num_warps=num_warps)


def _combine(arch: int, bits: int, head_dim: int) -> Tile:
    blocks = {"ROWS_PER_SPLIT": ROWS_PER_SPLIT}
    return Tile(kernel=COMBINE, arch=arch, bits=bits, head_dim=head_dim, blocks=blocks, num_warps=1)


TILES = TileTable(
    [
        tile(arch, bits, head)
        for tile in (_forward, _combine)
        for arch in (80, 90)
        for bits in (16, 32)
        for head in HEADS
    ]
)
