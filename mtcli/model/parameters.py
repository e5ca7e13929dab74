"""What a network's parameters are called and how large they are, told without PyTorch.

Axes: d model width, f inner width of the feed-forward layers, V vocabulary of a side, P positions.
"""

from collections.abc import Iterator

from mtcli.config import ModelConfig, VocabularySizes
from mtcli.errors import ConfigError

Shapes = dict[str, tuple[int, ...]]
"""By a parameter's name, its shape; a matrix that several parts share is there once."""


def parameter_shapes(config: ModelConfig, vocabulary: VocabularySizes) -> Shapes:
    """List the parameters of `mtcli.model.transformer.Transformer`, in its own order.

    Raises:
        ConfigError: `tied_embeddings = "all"` with two different vocabularies.
    """
    refuse_two_vocabularies(config, vocabulary)
    return dict(_parameters(config, vocabulary))


def refuse_two_vocabularies(config: ModelConfig, vocabulary: VocabularySizes) -> None:
    """Check that a matrix which both sides are to share has one vocabulary.

    Raises:
        ConfigError: it has two.
    """
    if config.tied_embeddings == "all" and not vocabulary.shared:
        raise ConfigError(
            'model.tied_embeddings = "all" needs one vocabulary for both sides, but source and target have their '
            "own. Use --set model.tied_embeddings=target, or a joint vocabulary."
        )


_Named = Iterator[tuple[str, tuple[int, ...]]]


def _parameters(config: ModelConfig, vocabulary: VocabularySizes) -> _Named:
    yield from _embedding("tgt_embedding", config, vocabulary.target)
    if config.tied_embeddings != "all":
        yield from _embedding("src_embedding", config, vocabulary.source)
    if config.tied_embeddings == "none":
        yield "output.weight", (vocabulary.target, config.d_model)
    if config.output_bias:
        yield "output.bias", (vocabulary.target,)
    yield from _side("encoder", config, config.encoder_layers, ("self_attention",))
    yield from _side("decoder", config.of_decoder, config.decoder_layers, ("self_attention", "cross_attention"))


def _embedding(name: str, config: ModelConfig, num_tokens: int) -> _Named:
    if config.positions == "learned":
        yield f"{name}.positions", (config.num_positions, config.d_model)
    yield f"{name}.tokens.weight", (num_tokens, config.d_model)


def _side(name: str, config: ModelConfig, num_layers: int, attentions: tuple[str, ...]) -> _Named:
    width = config.d_model
    for layer in (f"{name}.layers.{number}" for number in range(num_layers)):
        for attention in (f"{layer}.{attention}" for attention in attentions):
            for projection in ("q_proj", "k_proj", "v_proj", "out_proj"):
                yield from _linear(f"{attention}.{projection}", width, width)
            yield from _norm(f"{attention}_residual.norm", width)
        yield from _linear(f"{layer}.feed_forward.up", width, config.ffn_dim)
        yield from _linear(f"{layer}.feed_forward.down", config.ffn_dim, width)
        yield from _norm(f"{layer}.feed_forward_residual.norm", width)
    if config.norm == "pre":
        yield from _norm(f"{name}.norm", width)


def _linear(name: str, inputs: int, outputs: int) -> _Named:
    yield f"{name}.weight", (outputs, inputs)
    yield f"{name}.bias", (outputs,)


def _norm(name: str, width: int) -> _Named:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)
