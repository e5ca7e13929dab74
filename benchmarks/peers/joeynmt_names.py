"""mtcli's parameters by JoeyNMT's names."""

from collections.abc import Iterator

from benchmarks.peers.weights import Array, Weights

_PROJECTIONS = {"q_layer": "q_proj", "k_layer": "k_proj", "v_layer": "v_proj", "output_layer": "out_proj"}
_FEED_FORWARD = {
    "feed_forward.pwff_layer.0": "feed_forward.up",
    "feed_forward.pwff_layer.3": "feed_forward.down",
    "feed_forward.layer_norm": "feed_forward_residual.norm",
}
_ENCODER = {"src_src_att": "self_attention"}
_ENCODER_REST = {"layer_norm": "self_attention_residual.norm", **_FEED_FORWARD}
_DECODER = {"trg_trg_att": "self_attention", "src_trg_att": "cross_attention"}
_DECODER_REST = {
    "x_layer_norm": "self_attention_residual.norm",
    "dec_layer_norm": "cross_attention_residual.norm",
    **_FEED_FORWARD,
}


def joeynmt_arrays(weights: Weights) -> dict[str, Array]:
    """Every parameter and both tables of positions; matrices that mtcli shares come once for each place."""
    return {
        "src_embed.lut.weight": weights["src_embedding.tokens.weight"],
        "trg_embed.lut.weight": weights["tgt_embedding.tokens.weight"],
        "decoder.output_layer.weight": weights["output.weight"],
        "encoder.pe.pe": weights.positions("src")[None],
        "decoder.pe.pe": weights.positions("tgt")[None],
        **{
            f"{theirs}.{kind}": weights[f"{ours}.{kind}"]
            for theirs, ours in _modules(weights)
            for kind in ("weight", "bias")
        },
    }


def _modules(weights: Weights) -> Iterator[tuple[str, str]]:
    """Their name and mtcli's of each linear map and norm in the stacks."""
    for stack, attentions, rest in (("encoder", _ENCODER, _ENCODER_REST), ("decoder", _DECODER, _DECODER_REST)):
        for layer in weights.layers(stack):
            parts = {
                f"{their_attention}.{their_projection}": f"{attention}.{projection}"
                for their_attention, attention in attentions.items()
                for their_projection, projection in _PROJECTIONS.items()
            }
            for theirs, ours in (parts | rest).items():
                yield f"{layer}.{theirs}", f"{layer}.{ours}"
        if weights.model["norm"] == "pre":
            yield f"{stack}.layer_norm", f"{stack}.norm"
