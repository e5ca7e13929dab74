"""`mtcli info`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtcli.cli.errors import TracebackOption, reports_errors
from mtcli.cli.options import AttentionOption, DeviceOption, DtypeOption
from mtcli.model_directory.box import DIRECTION, IN_THE_BOX

if TYPE_CHECKING:
    from mtcli.config import ModelConfig

NAME = "info"
EXAMPLE = """\b
Examples:
  mtcli info
  mtcli info en-de
  mtcli info opus-en-de --check"""


@reports_errors
def command(
    model: Annotated[
        Path | None, typer.Argument(help=f"A model directory; else the model in the box, {DIRECTION}.")
    ] = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    attention: AttentionOption = "auto",
    check: Annotated[
        bool, typer.Option("--check", help="Compute what was stored with an imported model again, in float32; compare.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    traceback: TracebackOption = False,
) -> None:
    """Tell what a model is, what it was trained on, its size and its scores, and how it would run here."""
    model = IN_THE_BOX if model is None else model
    facts = _facts(model) | _here(model, device, dtype, attention)
    if check:
        facts["check"] = _check(model, device, attention)
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name:<{width}}  {_show(value)}")


def _facts(directory: Path) -> dict[str, Any]:
    from mtcli.errors import CheckpointError
    from mtcli.model_directory.description import load_architecture
    from mtcli.model_directory.files import WEIGHTS, read_json
    from mtcli.model_directory.tokenizers import load_tokenizers

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
            facts |= _history(read_json(directory, "provenance.json"))
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


def _here(directory: Path, device: str, dtype: str, attention: str) -> dict[str, Any]:
    """How the model would run on this machine."""
    from mtcli.devices import decoding_dtype, describe, prepare_cpu, resolve_device
    from mtcli.model.implementations import Implementations
    from mtcli.model_directory.description import load_architecture

    prepare_cpu()
    architecture, where = load_architecture(directory), resolve_device(device)
    number_type = decoding_dtype(dtype, where)
    chosen = Implementations.resolve(
        attention,
        where,
        number_type,
        head_dim=architecture.model.largest_head_dim,
        beam=architecture.decoding.beam_size,
    )
    return {"runs here on": describe(where, number_type), "attention": chosen.sentence()}


def _check(directory: Path, device: str, attention: str) -> str:
    """Compare what the model computes here with what is stored with it.

    Raises:
        CheckpointError: nothing is stored, or it differs.
    """
    from mtcli.cli.options import load
    from mtcli.interop.reference import Ours, largest_difference, stored

    model = load(directory, device, "float32", attention)
    reference = stored(directory, model.architecture.checksums)
    difference = largest_difference(reference, Ours(model, attention))
    return (
        f"{len(reference.sentences)} sentences as {reference.made_by} computed them: the same ids, and "
        f"log-probabilities within {difference:.1g}"
    )


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
            f"BLEU {scores['bleu']:.2f}, perplexity {scores['perplexity']:.2f} at step {scores['step']:,}"
        )
    facts |= _card(provenance)
    if "versions" in provenance:
        facts["made by"] = ", ".join(f"{name} {version}" for name, version in provenance["versions"].items())
    return facts


def _card(provenance: dict[str, Any]) -> dict[str, Any]:
    """What its makers say of it, and its scores on test sets."""
    from mtcli.model_directory.card import card_of

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


def _show(value: Any) -> str:
    return (
        "\n".join(value)
        if isinstance(value, list) and len(value) == 1
        else (", ".join(value) if isinstance(value, list) else str(value))
    )
