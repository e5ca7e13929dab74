"""mtcli's parameters by the names of transformers' MarianMTModel."""

from collections.abc import Iterator

OUTPUT_BIAS = "final_logits_bias"
SHARED, SOURCE, TARGET, OUTPUT = (
    *("model.shared.weight", "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"),
    "lm_head.weight",
)
POSITIONS = ("model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight")
OUR_SOURCE, OUR_TARGET = "src_embedding.tokens.weight", "tgt_embedding.tokens.weight"
OUR_OUTPUT, OUR_BIAS = "output.weight", "output.bias"
OUR_MATRICES = (OUR_SOURCE, OUR_TARGET, OUR_OUTPUT)

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


def layer_names(encoder_layers: int, decoder_layers: int) -> Iterator[tuple[str, str]]:
    """Their name and ours of every parameter of every layer of a post-norm model."""
    stacks = (
        ("encoder", encoder_layers, _IN_LAYER),
        ("decoder", decoder_layers, _IN_LAYER | _IN_DECODER_LAYER),
    )
    for stack, num_layers, names in stacks:
        for layer in range(num_layers):
            for theirs, ours in names.items():
                for kind in ("weight", "bias"):
                    yield f"model.{stack}.layers.{layer}.{theirs}.{kind}", f"{stack}.layers.{layer}.{ours}.{kind}"
