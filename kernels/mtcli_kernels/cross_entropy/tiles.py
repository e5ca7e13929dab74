"""Tile sizes of the cross-entropy kernels.

A block of 4096 logits is 16 for each of the 256 threads of 8 warps: wide loads, few enough registers for several
programs beside each other on a multiprocessor, which is what hides the memory's latency.
"""

from mtcli_kernels.tuning import Tile, TileTable

TILES = TileTable(
    [
        Tile(kernel=kernel, arch=arch, bits=bits, blocks={"BLOCK_V": 4096}, num_warps=8, num_stages=1)
        for kernel in ("cross_entropy_fwd_kernel", "cross_entropy_bwd_kernel")
        for arch in (80, 90)
        for bits in (16, 32)
    ]
)
