"""What the ahead-of-time check compiles of masked attention."""

from mtcli_kernels.aot import Case, Cases
from mtcli_kernels.masked_attention.tiles import DELTA, DKDV, DQ, FORWARD, TILES

INTERVAL_FORWARD, ANCHORED_FORWARD = FORWARD
_TYPES = {"scale": "fp32", "num_queries": "i32", "num_keys": "i32"}
_TYPES |= dict.fromkeys(("Q", "K", "V", "OUT", "DOUT", "DQ", "DK", "DV"), "*T")
_TYPES |= dict.fromkeys(("LSE", "DELTA"), "*fp32")
_TYPES |= dict.fromkeys(("LO", "HI", "QUERY_LO", "QUERY_HI"), "*i32")
_TYPES |= dict.fromkeys(("Q_STARTS", "Q_LENGTHS", "K_STARTS", "K_LENGTHS"), "*i64")

# Pointers and sizes of each kernel; the tensors whose strides along tokens and heads it takes.
_ARGUMENTS = {
    INTERVAL_FORWARD: ("Q K V OUT LSE LO HI num_queries scale", "q k v o"),
    ANCHORED_FORWARD: ("Q K V OUT Q_STARTS Q_LENGTHS K_STARTS K_LENGTHS scale", "q k v o"),
    DELTA: ("OUT DOUT DELTA num_queries", "o do"),
    DQ: ("Q K V DOUT LSE DELTA DQ LO HI num_queries scale", "q k v do dq"),
    DKDV: (
        "Q K V DOUT LSE DELTA DK DV LO HI QUERY_LO QUERY_HI num_queries num_keys scale",
        "q k v do dk dv",
    ),
}


def cases() -> Cases:
    """Every tile at its own head size, and the larger ones at a size that is no power of two; causal or not."""
    for tile in TILES.tiles:
        names, strided = _ARGUMENTS[tile.kernel]
        strides = tuple(f"stride_{tensor}{axis}" for tensor in strided.split() for axis in "th")
        assert tile.head_dim is not None
        for head_dim in (tile.head_dim, *((3 * tile.head_dim // 4,) if tile.head_dim >= 64 else ())):
            for causal in (False, True) if tile.kernel == ANCHORED_FORWARD else (None,):
                yield Case(
                    tile=tile,
                    arguments={name: _TYPES[name] for name in names.split()} | dict.fromkeys(strides, "i32"),
                    constants={"HEAD": tile.head_dim, "HEAD_DIM": head_dim}
                    | ({} if causal is None else {"CAUSAL": causal}),
                    aligned=strides,
                    tensor_cores=tile.bits == 16 and tile.kernel != DELTA,
                    note="causal" if causal else "",
                )
