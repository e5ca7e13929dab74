"""mtcli's parameters by MarianMTModel's names."""

from benchmarks.peers.weights import Array, Weights
from mtcli.interop import marian_names as names


def marian_arrays(weights: Weights) -> dict[str, Array]:
    """Every parameter of a post-norm model; matrices that mtcli shares come once for each place."""
    layers = names.layer_names(weights.model["encoder_layers"], weights.model["decoder_layers"])
    return {
        names.SOURCE: weights[names.OUR_SOURCE],
        names.POSITIONS[0]: weights.positions("src"),
        names.TARGET: weights[names.OUR_TARGET],
        names.POSITIONS[1]: weights.positions("tgt"),
        names.OUTPUT: weights[names.OUR_OUTPUT],
        **{theirs: weights[ours] for theirs, ours in layers},
    }
