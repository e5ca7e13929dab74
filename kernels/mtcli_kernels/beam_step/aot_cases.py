"""What the ahead-of-time check compiles of the search step."""

from mtcli_kernels.aot import Case, Cases
from mtcli_kernels.beam_step.tiles import MERGE, TILE, TILES

_SHARED = {
    "LOGITS": "*T",
    "STATUS": "*i32",
    "POSITIONS": "*i32",
    "MAX_TOKENS": "*i32",
    "LOG_PROBS": "*fp32",
    "BANNED": "*u8",
    "PEAKS": "*fp32",
    "SUMS": "*fp32",
    "KEYS": "*i64",
    "stride_lr": "i32",
    "eos_id": "i32",
}
_OWN = {
    TILE: {"vocab_size": "i32"},
    MERGE: {
        "LAST_TOKENS": "*i64",
        "TOKENS": "*i32",
        "PARENTS": "*i32",
        "ANCESTRY": "*i32",
        "FINISHED_LOG_PROBS": "*fp32",
        "FINISHED_SCORES": "*fp32",
        "FINISHED_STEPS": "*i32",
        "FINISHED_PLACES": "*i32",
        "LENGTH_NORMS": "*fp32",
        "num_tiles": "i32",
        "max_steps": "i32",
        "min_tokens": "i32",
        "n_best": "i32",
        "stop": "i32",
        "free_end": "i32",
    },
}


def cases() -> Cases:
    """Every tile with beams from greedy to the largest; the first also for odd vocabularies."""
    for tile in TILES.tiles:
        for beam in (1, 4, 5, 8, 16):
            constants = {"BEAM": beam}
            if tile.kernel == MERGE:
                constants["PLACES"] = 1 << (beam - 1).bit_length()
            for aligned, note in ((("stride_lr", "vocab_size"), f"beam {beam}"), ((), f"beam {beam}, odd vocabulary")):
                if aligned or beam == 4:
                    yield Case(
                        tile=tile,
                        arguments={**_SHARED, **_OWN[tile.kernel]},
                        constants=constants,
                        aligned=tuple(name for name in aligned if name != "vocab_size" or tile.kernel == TILE),
                        tensor_cores=False,
                        note=note,
                    )
