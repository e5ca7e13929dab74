"""What the ahead-of-time check compiles of cross-attention at decoding."""

from mtcli_kernels.aot import Case, Cases
from mtcli_kernels.cross_attention_decode.tiles import COMBINE, TILES

_PARTS = {"PART_MAX": "*fp32", "PART_SUM": "*fp32", "PART_ACC": "*fp32"}
_ALIGNED = tuple(f"stride_{tensor}{axis}" for tensor, axes in (("q", "rh"), ("k", "nh"), ("v", "nh")) for axis in axes)
_OUT = ("stride_or", "stride_oh")
_FORWARD = {
    "Q": "*T",
    "K": "*T",
    "V": "*T",
    "OUT": "*T",
    **_PARTS,
    "STARTS": "*i32",
    "LENGTHS": "*i32",
    **dict.fromkeys((*_ALIGNED, *_OUT), "i32"),
    "scale": "fp32",
}
_COMBINE = {"OUT": "*T", **_PARTS, "LENGTHS": "*i32", **dict.fromkeys((*_OUT, "num_splits"), "i32")}


def cases() -> Cases:
    """Every tile with a beam of 4, and those of the usual head sizes with the largest beam as well."""
    for tile in TILES.tiles:
        head = int(tile.head_dim or 0)
        constants = {"BEAM": 4, "HEAD": head, "HEAD_DIM": head}
        if tile.kernel == COMBINE:
            yield Case(tile=tile, arguments=_COMBINE, constants=constants, aligned=_OUT, tensor_cores=False)
            continue
        for beam, block_r in ((4, 16), (64, 64)):
            yield Case(
                tile=tile,
                arguments=_FORWARD,
                constants={**constants, "BEAM": beam, "BLOCK_R": block_r},
                aligned=(*_ALIGNED, *_OUT),
                tensor_cores=tile.bits == 16,
                note=f"beam {beam}",
            )
