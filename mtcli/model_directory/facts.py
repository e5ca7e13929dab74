"""What a model directory tells of itself, for people."""

from pathlib import Path
from typing import Any

from mtcli.config import ModelConfig
from mtcli.errors import CheckpointError
from mtcli.model_directory.card import card_of
from mtcli.model_directory.description import load_architecture
from mtcli.model_directory.files import WEIGHTS, read_json
from mtcli.model_directory.integrity import stored_checksum
from mtcli.model_directory.tokenizers import load_tokenizers


def facts_of(directory: Path) -> dict[str, Any]:
    """Tell what a model is, what it was trained on and how well it did, by what the directory says; loads no weights.

    Raises:
        CheckpointError: the directory is no model, or damaged.
    """
    architecture = load_architecture(directory)
    load_tokenizers(directory, architecture.checksums)
    weights = directory / WEIGHTS
    if not weights.exists():
        raise CheckpointError(f"{directory} holds no {WEIGHTS} yet.")
    model, vocabulary, decoding = architecture.model, architecture.vocabulary, architecture.decoding
    facts: dict[str, Any] = {
        "model": str(directory),
        "architecture": (
            f"Transformer, {model.encoder_layers} encoder and {model.decoder_layers} decoder layers, width "
            f"{model.d_model}, {_sizes(model)}, {model.norm}-norm, {model.activation}"
        ),
        "vocabulary": (
            f"{vocabulary.source:,} pieces, shared"
            if vocabulary.shared
            else f"{vocabulary.source:,} source and {vocabulary.target:,} target pieces"
        ),
        "decoding defaults": f"beam {decoding.beam_size}, length penalty {decoding.length_penalty:g}",
        "weights": f"{weights.stat().st_size / 1e6:.1f} MB",
    }
    if (directory / "provenance.json").exists():
        try:
            provenance = read_json(directory, "provenance.json")
            facts |= _history(provenance)
            if "weights" in provenance and provenance["weights"]["blake2b"] != stored_checksum(weights):
                facts["beware"] = "provenance.json and README.md are of other weights than these"
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{directory}/provenance.json is damaged: its facts are not those mtcli train writes ({error!r}). "
                "Translating does not need it; delete it to see the rest."
            ) from None
    return facts


def _sizes(model: "ModelConfig") -> str:
    """Of each layer; the decoder's where they differ."""
    sizes = [f"feed-forward {side.ffn_dim}, {side.heads} heads" for side in (model, model.of_decoder)]
    return sizes[0] if sizes[0] == sizes[1] else f"{sizes[0]} (in the decoder {sizes[1]})"


def _history(provenance: dict[str, Any]) -> dict[str, Any]:
    """Facts from provenance.json; whatever it does not hold is left out."""
    facts: dict[str, Any] = {}
    training, data, scores = (provenance.get(key, {}) for key in ("training", "data", "scores"))
    if imported := provenance.get("imported", {}):
        at = f" at {imported['revision']}" if imported["revision"] else ""
        facts["imported from"] = f"{imported['from']}{at} ({imported['format']})"
        facts["parameters"] = f"{provenance['parameters']:,}"
    if training:
        facts["parameters"] = f"{training['parameters']:,}"
        facts["training"] = (
            f"{training['steps']:,} steps, {training['target_tokens']:,} target tokens, "
            f"{training['minutes']:.1f} minutes on {training['device']}"
        )
    if data:
        facts["trained on"] = [f"{name} ({digest})" for name, digest in data["files"]["train"].items()]
        facts["pairs"] = f"{data['train']['pairs']:,} for training, {data['valid']['pairs']:,} for validation"
    if scores:
        facts["validation"] = (
            f"BLEU {scores['bleu']:.2f}{_tokenizer(scores)}, perplexity {scores['perplexity']:.2f} "
            f"at step {scores['step']:,}"
        )
    facts |= _card(provenance)
    if "versions" in provenance:
        facts["made by"] = ", ".join(f"{name} {version}" for name, version in provenance["versions"].items())
    return facts


def _tokenizer(scores: dict[str, Any]) -> str:
    """That of a validation's BLEU, where it is not the usual one."""
    name = scores.get("bleu_tokenizer", "13a")
    return "" if name == "13a" else f" (tokenizer {name})"


def _card(provenance: dict[str, Any]) -> dict[str, Any]:
    """What its makers say of it, and its scores on test sets."""
    card = card_of(provenance)
    tests = [
        f"{test['set']}: BLEU {test['bleu']:.1f}, chrF {test['chrf']:.1f} with beam {test['beam']}"
        for test in provenance.get("tests", [])
    ]
    said = {
        "direction": card.direction,
        "tested": tests,
        "good for": card.good_for,
        "not for": card.not_for,
        "credit": card.credit,
        "license": card.license,
    }
    return {name: value for name, value in said.items() if value}
