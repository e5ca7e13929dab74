"""A model directory of mtcli's as a CTranslate2 model, through CTranslate2's own specification of Transformers.

Beside CTranslate2's files lie source.spm and target.spm: the SentencePiece models that cut text into the pieces of its
vocabulary, by themselves. CTranslate2 adds the end token of the source, begins with the decoder's start token, and
never writes the tokens that mtcli never writes: their logits have a bias that no other can make up for.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mtcli.config import ModelConfig
from mtcli.data.listed import ListedTokenizer
from mtcli.errors import BackendUnavailableError
from mtcli.interop.marian_tokenizer import SOURCE_MODEL, TARGET_MODEL
from mtcli.interop.normaliser import self_normalising
from mtcli.model_directory.loading import LoadedModel, load_model

Array = NDArray[np.float32]
Parameters = dict[str, Array]

_ACTIVATIONS = {"relu": "RELU", "gelu": "GELU", "silu": "SWISH"}
_NEVER = -1e4  # added to a logit: float16 holds it, and no logit is as large
_EPSILON = 1e-5  # of PyTorch's LayerNorm


def export_ctranslate2(model_dir: Path, out: Path) -> None:
    """Write model.bin, config.json, the vocabularies and the SentencePiece models into a directory.

    Args:
        out: an empty directory.

    Raises:
        CheckpointError: `model_dir` is no model, or damaged.
        BackendUnavailableError: ctranslate2 is not installed.
    """
    if importlib.util.find_spec("ctranslate2") is None:
        raise BackendUnavailableError(
            "mtcli export ctranslate2 needs the package ctranslate2: pip install 'mtcli-nmt[ct2]'."
        )
    model = load_model(model_dir, torch.device("cpu"))
    spec = _specification(model)
    spec.validate()
    spec.optimize()
    spec.save(str(out))
    src, tgt = model.tokenizers.src, model.tokenizers.tgt
    for name, tokenizer in ((SOURCE_MODEL, src), (TARGET_MODEL, tgt)):
        is_listed = isinstance(tokenizer, ListedTokenizer)
        (out / name).write_bytes(tokenizer.model if is_listed else self_normalising(tokenizer))


def _specification(model: LoadedModel) -> Any:
    """CTranslate2's description of the model, with its weights."""
    from ctranslate2.specs import TransformerSpec

    config, src, tgt = model.architecture.model, model.tokenizers.src, model.tokenizers.tgt
    encoder, decoder = _stacks(config)
    spec = TransformerSpec(encoder, decoder)
    parameters = parameters_of(model)
    for name, side, stack in (("encoder", "src", encoder), ("decoder", "tgt", decoder)):
        stack.scale_embeddings = config.scale_embeddings
        embeddings = stack.embeddings[0] if name == "encoder" else stack.embeddings
        embeddings.weight = parameters[f"{side}_embedding.tokens.weight"]
        stack.position_encodings.encodings = parameters[f"{side}_embedding.positions"]
        if config.norm == "pre":
            _fill_norm(stack.layer_norm, parameters, f"{name}.norm")
        for index, layer in enumerate(stack.layer):
            _fill_layer(layer, parameters, f"{name}.layers.{index}")
    decoder.projection.weight = parameters["output.weight"]
    bias = parameters.get("output.bias", np.zeros(tgt.vocab_size, np.float32)).copy()
    bias[tgt.never_generated] += _NEVER
    if bias.any():
        decoder.projection.bias = bias
    spec.register_source_vocabulary(src.pieces(range(src.vocab_size)))
    spec.register_target_vocabulary(tgt.pieces(range(tgt.vocab_size)))
    start, end = tgt.pieces([tgt.start_id, tgt.eos_id])
    spec.config.decoder_start_token = spec.config.bos_token = start
    spec.config.eos_token, spec.config.unk_token = end, src.pieces([src.unk_id])[0]
    spec.config.add_source_eos = True
    spec.config.layer_norm_epsilon = _EPSILON
    return spec


def _stacks(config: ModelConfig) -> tuple[Any, Any]:
    """Encoder and decoder without weights."""
    from ctranslate2.specs import common_spec
    from ctranslate2.specs.transformer_spec import TransformerDecoderSpec, TransformerEncoderSpec

    how = {"pre_norm": config.norm == "pre", "activation": common_spec.Activation[_ACTIVATIONS[config.activation]]}
    return (
        TransformerEncoderSpec(config.encoder_layers, config.heads, **how),
        TransformerDecoderSpec(config.decoder_layers, config.of_decoder.heads, **how),
    )


def parameters_of(model: LoadedModel) -> Parameters:
    """The parameters by name, shared ones under each of their names, and both sides' positions."""
    network = model.network
    found = {name: parameter.detach() for name, parameter in network.named_parameters(remove_duplicate=False)}
    for side, embedding in (("src", network.src_embedding), ("tgt", network.tgt_embedding)):
        found[f"{side}_embedding.positions"] = embedding.positions.detach()
    return {name: tensor.numpy() for name, tensor in found.items()}


def _fill_layer(layer: Any, parameters: Parameters, name: str) -> None:
    _fill_attention(layer.self_attention, parameters, f"{name}.self_attention", ("qkv", ["out"]))
    if hasattr(layer, "attention"):
        _fill_attention(layer.attention, parameters, f"{name}.cross_attention", ("q", "kv", ["out"]))
    for linear, part in ((layer.ffn.linear_0, "up"), (layer.ffn.linear_1, "down")):
        linear.weight = parameters[f"{name}.feed_forward.{part}.weight"]
        linear.bias = parameters[f"{name}.feed_forward.{part}.bias"]
    _fill_norm(layer.ffn.layer_norm, parameters, f"{name}.feed_forward_residual.norm")


def _fill_attention(attention: Any, parameters: Parameters, name: str, groups: Sequence[Sequence[str]]) -> None:
    """Projections, several to a matrix, one below the other."""
    for linear, parts in zip(attention.linear, groups, strict=True):
        linear.weight = np.concatenate([parameters[f"{name}.{part}_proj.weight"] for part in parts])
        linear.bias = np.concatenate([parameters[f"{name}.{part}_proj.bias"] for part in parts])
    _fill_norm(attention.layer_norm, parameters, f"{name}_residual.norm")


def _fill_norm(norm: Any, parameters: Parameters, name: str) -> None:
    norm.gamma, norm.beta = parameters[f"{name}.weight"], parameters[f"{name}.bias"]
