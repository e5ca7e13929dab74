"""What the ahead-of-time check compiles of cross-entropy."""

from mtcli_kernels.aot import Case, Cases
from mtcli_kernels.cross_entropy.tiles import TILES

_SHARED = {
    "LOGITS": "*T",
    "TARGETS": "*i64",
    "LSE": "*fp32",
    "stride_ln": "i32",
    "vocab_size": "i32",
    "label_smoothing": "fp32",
    "ignore_index": "i32",
}
_OWN = {
    "cross_entropy_fwd_kernel": {"LOSS": "*fp32", "NLL": "*fp32"},
    "cross_entropy_bwd_kernel": {"GRAD_LOSS": "*fp32"},
}


def cases() -> Cases:
    """Every tile, for vocabularies that are a multiple of 16 and for those that are not."""
    for tile in TILES.tiles:
        for aligned, note in ((("stride_ln", "vocab_size"), ""), ((), "odd vocabulary")):
            yield Case(
                tile=tile,
                arguments={**_SHARED, **_OWN[tile.kernel]},
                constants={},
                aligned=aligned,
                tensor_cores=False,
                note=note,
            )
