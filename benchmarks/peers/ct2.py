"""CTranslate2 as a contestant: python -m benchmarks.peers.ct2 [DEVICE]; cpu or cuda."""

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any

import ctranslate2
import numpy as np
from ctranslate2.specs import TransformerSpec, common_spec
from ctranslate2.specs.transformer_spec import (
    TransformerDecoderSpec,
    TransformerEncoderSpec,
)

from benchmarks.peers.engine import Contestant, Outcome, Settings, Work
from benchmarks.peers.weights import Weights

_ACTIVATIONS = {"relu": "RELU", "gelu": "GELU", "silu": "SWISH"}


class CTranslate2:
    """Settings: "dtype" (a compute type), "batch" (sentences), "inter_threads", "intra_threads"."""

    _weights: Weights
    _model: tempfile.TemporaryDirectory[str]
    _translator: Any

    def __init__(self, device: str = "cpu") -> None:
        self._device = device

    def facts(self) -> dict[str, Any]:
        return {
            "versions": {"python": platform.python_version(), "ctranslate2": metadata.version("ctranslate2")},
            "dtypes": sorted(ctranslate2.get_supported_compute_types(self._device)),
        }

    def refusal(self, description: str) -> str | None:
        return None

    def load(self, description: str, threads: int) -> None:
        self._weights, self._threads = Weights(description), threads
        self._model = tempfile.TemporaryDirectory()
        _convert(self._weights).save(self._model.name)

    def prepare(self, settings: Settings) -> None:
        self._batch = settings["batch"]
        self._translator = None  # frees the old one's threads first
        self._translator = self._open(settings["dtype"], settings["inter_threads"], settings["intra_threads"])

    def _open(self, compute_type: str, inter_threads: int, intra_threads: int) -> Any:
        return ctranslate2.Translator(
            self._model.name,
            device=self._device,
            compute_type=compute_type,
            inter_threads=inter_threads,
            intra_threads=intra_threads,
        )

    def ready(self, work: Work, beam: int) -> Callable[[], Any]:
        sources, longest = _words(work.sources), max(work.limits)
        banned = [[str(token)] for token in self._weights.description["banned"]]

        def decode() -> Any:
            # Where an end token may not come, all steps go to other tokens: its limit does not count the end token.
            return self._translator.translate_batch(
                sources,
                max_batch_size=self._batch,
                beam_size=beam,
                length_penalty=work.length_penalty,
                max_decoding_length=longest,
                min_decoding_length=longest if work.forced else 1,
                suppress_sequences=banned or None,
            )

        return decode

    def outcome(self, decoded: Any, work: Work) -> Outcome:
        outputs = [[int(word) for word in result.hypotheses[0]] for result in decoded]
        return Outcome.of(outputs, work)

    def score(self, sources: list[list[int]], targets: list[list[int]]) -> list[float]:
        scored = self._open("float32", 1, self._threads).score_batch(_words(sources), _words(targets))
        return [sum(result.log_probs) for result in scored]


def _words(sentences: list[list[int]]) -> list[list[str]]:
    """CTranslate2 takes tokens as strings: here the ids' digits."""
    return [list(map(str, sentence)) for sentence in sentences]


def _convert(weights: Weights) -> Any:
    """The model as CTranslate2's specification, filled by hand."""
    model, description = weights.model, weights.description
    how = {
        "pre_norm": model["norm"] == "pre",
        "activation": common_spec.Activation[_ACTIVATIONS[model["activation"]]],
    }
    spec = TransformerSpec(
        TransformerEncoderSpec(model["encoder_layers"], weights.size("encoder", "heads"), **how),
        TransformerDecoderSpec(model["decoder_layers"], weights.size("decoder", "heads"), **how),
    )
    for stack, side, words in ((spec.encoder, "src", "source"), (spec.decoder, "tgt", "target")):
        name = "encoder" if side == "src" else "decoder"
        embeddings = stack.embeddings[0] if side == "src" else stack.embeddings
        embeddings.weight = weights[f"{side}_embedding.tokens.weight"]
        stack.position_encodings.encodings = weights.positions(side)
        stack.scale_embeddings = weights.scales_embeddings
        if model["norm"] == "pre":
            _fill_norm(stack.layer_norm, weights, f"{name}.norm")
        for layer, below in zip(stack.layer, weights.layers(name), strict=True):
            _fill_layer(layer, weights, below)
        register = getattr(spec, f"register_{words}_vocabulary")
        register([str(token) for token in range(description["vocabulary"][words])])
    spec.decoder.projection.weight = weights["output.weight"]
    if weights.output_bias.any():
        spec.decoder.projection.bias = weights.output_bias
    spec.config.bos_token = spec.config.unk_token = spec.config.decoder_start_token = str(description["start"])
    spec.config.eos_token = str(description["eos"])
    spec.config.layer_norm_epsilon = 1e-5
    spec.validate()
    spec.optimize()
    return spec


def _fill_layer(layer: Any, weights: Weights, name: str) -> None:
    _fill_joined(layer.self_attention.linear[0], weights, f"{name}.self_attention", "qkv")
    _fill_joined(layer.self_attention.linear[1], weights, f"{name}.self_attention", ["out"])
    _fill_norm(layer.self_attention.layer_norm, weights, f"{name}.self_attention_residual.norm")
    if hasattr(layer, "attention"):
        for linear, parts in zip(layer.attention.linear, ("q", "kv", ["out"]), strict=True):
            _fill_joined(linear, weights, f"{name}.cross_attention", parts)
        _fill_norm(layer.attention.layer_norm, weights, f"{name}.cross_attention_residual.norm")
    for linear, part in ((layer.ffn.linear_0, "up"), (layer.ffn.linear_1, "down")):
        linear.weight = weights[f"{name}.feed_forward.{part}.weight"]
        linear.bias = weights[f"{name}.feed_forward.{part}.bias"]
    _fill_norm(layer.ffn.layer_norm, weights, f"{name}.feed_forward_residual.norm")


def _fill_joined(linear: Any, weights: Weights, name: str, parts: Sequence[str]) -> None:
    """One projection of several, one below the other."""
    linear.weight = np.concatenate([weights[f"{name}.{part}_proj.weight"] for part in parts])
    linear.bias = np.concatenate([weights[f"{name}.{part}_proj.bias"] for part in parts])


def _fill_norm(norm: Any, weights: Weights, name: str) -> None:
    norm.gamma, norm.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]


if __name__ == "__main__":
    os.environ.setdefault("CT2_VERBOSE", "-1")
    Contestant(CTranslate2(*sys.argv[1:])).serve()
