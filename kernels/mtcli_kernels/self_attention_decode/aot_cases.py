"""What the ahead-of-time check compiles of self-attention at decoding."""

from mtcli_kernels.aot import Case, Cases
from mtcli_kernels.self_attention_decode.tiles import TILES

_POINTERS = ("Q", "K", "V", "K_CACHE", "V_CACHE", "OUT")
_ALIGNED = (
    *(f"stride_{tensor}{axis}" for tensor in "qkvo" for axis in "rh"),
    *(f"stride_{cache}{axis}" for cache in ("kc", "vc") for axis in "shn"),
)
_ANCESTRY = ("stride_as", "stride_ar")
_ARGUMENTS = {
    **dict.fromkeys(_POINTERS, "*T"),
    "ANCESTRY": "*i32",
    "POSITIONS": "*i32",
    **dict.fromkeys((*_ALIGNED, *_ANCESTRY), "i32"),
    "scale": "fp32",
}


def cases() -> Cases:
    """Every tile with beams of 1 and 4, and with the largest."""
    for tile in TILES.tiles:
        head = int(tile.head_dim or 0)
        for beam, block_r in ((1, 16), (4, 16), (64, 64)):
            yield Case(
                tile=tile,
                arguments=_ARGUMENTS,
                constants={"BEAM": beam, "BLOCK_R": block_r, "HEAD": head, "HEAD_DIM": head},
                aligned=(*_ALIGNED, *_ANCESTRY),
                tensor_cores=tile.bits == 16,
                note=f"beam {beam}",
            )
