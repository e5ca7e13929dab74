"""Tile sizes of masked attention.

A tile of packed queries holds several short sentences at once, so a larger one mostly adds masked work: at some
tens of tokens a sentence, 64 x 64 is large already. The backward kernels keep two products and two gradients in
registers. The tensor cores of sm_80 and sm_120 take their operands from registers too, so that only narrower tiles
fit. Products of float32 run without tensor cores, from registers: their tiles are small.
"""

from mtcli_kernels.tuning import Tile, TileTable

FORWARD = ("masked_attention_fwd_kernel", "masked_attention_anchored_fwd_kernel")
DELTA = "masked_attention_bwd_delta_kernel"
DQ = "masked_attention_bwd_dq_kernel"
DKDV = "masked_attention_bwd_dkdv_kernel"
HEADS = (16, 32, 64, 128)


def _shapes(arch: int, bits: int, head_dim: int) -> dict[str, tuple[int, int, int, int]]:
    """By kernel: BLOCK_M, BLOCK_N, warps, stages."""
    is_wide = head_dim == 128
    if bits == 32:
        forward = dq = (16, 32, 4, 1)
        dkdv = (16, 16, 8, 1) if is_wide else (16, 32, 4, 1)
    elif arch in (80, 120):
        forward = (32, 64, 4, 2)
        dq = (32, 64, 4, 1)
        dkdv = (32, 64, 8 if is_wide else 4, 1)
    else:
        forward = (64, 64, 4, 2)
        dq = (64, 64, 4, 1)
        dkdv = (64, 64, 8 if is_wide else 4, 1)
    return {**dict.fromkeys(FORWARD, forward), DELTA: (64, 0, 4, 1), DQ: dq, DKDV: dkdv}


def _tiles(arch: int, bits: int, head_dim: int) -> list[Tile]:
    return [
        Tile(
            kernel=kernel,
            arch=arch,
            bits=bits,
            head_dim=head_dim,
            blocks={"BLOCK_M": block_m, "BLOCK_N": block_n} if block_n else {"BLOCK_M": block_m},
            num_warps=num_warps,
            num_stages=num_stages,
        )
        for kernel, (block_m, block_n, num_warps, num_stages) in _shapes(arch, bits, head_dim).items()
    ]


TILES = TileTable(
    [tile for arch in (80, 90, 120) for bits in (16, 32) for head in HEADS for tile in _tiles(arch, bits, head)]
)
