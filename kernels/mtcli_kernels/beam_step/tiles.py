"""Tile sizes of the search step's kernels.

BLOCK_V is a compromise: each tile hands its K best on to the other kernel, which wants large tiles; a few rows
must fill the GPU, which wants small ones. 2048 logits are 16 for each of 128 threads. LANES are the keys of one
row that are merged at a time, BLOCK_TILES the tiles whose sums are, BLOCK_T the steps of ancestry that are moved.
"""

from mtcli_kernels.tuning import Tile, TileTable

TILE, MERGE = "beam_step_tile_kernel", "beam_step_merge_kernel"

TILES = TileTable(
    [
        Tile(kernel=kernel, arch=arch, bits=bits, blocks=blocks, num_warps=num_warps, num_stages=1)
        for kernel, num_warps, blocks in (
            (TILE, 4, {"BLOCK_V": 2048}),
            (MERGE, 8, {"LANES": 256, "BLOCK_TILES": 32, "BLOCK_T": 64}),
        )
        for arch in (80, 90)
        for bits in (16, 32)
    ]
)
