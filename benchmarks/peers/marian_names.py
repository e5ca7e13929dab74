"""mtcli's parameters by MarianMTModel's names."""

from peers.weights import Array, Weights

_IN_LAYER = {
    "self_attn.q_proj": "self_attention.q_proj",
    "self_attn.k_proj": "self_attention.k_proj",
    "self_attn.v_proj": "self_attention.v_proj",
    "self_attn.out_proj": "self_attention.out_proj",
    "self_attn_layer_norm": "self_attention_residual.norm",
    "fc1": "feed_forward.up",
    "fc2": "feed_forward.down",
    "final_layer_norm": "feed_forward_residual.norm",
}
_IN_DECODER_LAYER = {
    "encoder_attn.q_proj": "cross_attention.q_proj",
    "encoder_attn.k_proj": "cross_attention.k_proj",
    "encoder_attn.v_proj": "cross_attention.v_proj",
    "encoder_attn.out_proj": "cross_attention.out_proj",
    "encoder_attn_layer_norm": "cross_attention_residual.norm",
}


def marian_arrays(weights: Weights) -> dict[str, Array]:
    """Every parameter of a post-norm model; matrices that mtcli shares come once for each place."""
    found = {
        "model.encoder.embed_tokens.weight": weights["src_embedding.tokens.weight"],
        "model.encoder.embed_positions.weight": weights.positions("src"),
        "model.decoder.embed_tokens.weight": weights["tgt_embedding.tokens.weight"],
        "model.decoder.embed_positions.weight": weights.positions("tgt"),
        "lm_head.weight": weights["output.weight"],
    }
    for stack, names in (("encoder", _IN_LAYER), ("decoder", _IN_LAYER | _IN_DECODER_LAYER)):
        for layer in weights.layers(stack):
            for theirs, ours in names.items():
                for kind in ("weight", "bias"):
                    found[f"model.{layer}.{theirs}.{kind}"] = weights[f"{layer}.{ours}.{kind}"]
    return found
