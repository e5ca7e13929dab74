"""What a model directory says about itself: provenance.json for programs, README.md for people."""

import importlib.metadata
import json
import platform
import textwrap
from pathlib import Path
from typing import Any

from mtcli import __version__
from mtcli.config import CardConfig
from mtcli.errors import CheckpointError
from mtcli.files import write_atomically
from mtcli.model_directory.files import read_json

PROVENANCE, CARD = "provenance.json", "README.md"
_WIDTH = 110  # characters a line


def versions() -> dict[str, str]:
    """Versions of mtcli and what it computes with."""
    found = {"mtcli": __version__, "python": platform.python_version()}
    for name in ("torch", "sentencepiece", "sacrebleu"):
        found[name] = importlib.metadata.version(name)
    return found


def write_card(directory: Path, provenance: dict[str, Any]) -> None:
    """Write provenance.json and README.md.

    Raises:
        DataError: one cannot be written.
    """
    write_atomically(directory / PROVENANCE, json.dumps(provenance, indent=2, ensure_ascii=False) + "\n")
    write_atomically(directory / CARD, render_card(provenance))


def card_of(provenance: dict[str, Any]) -> CardConfig:
    """What `[card]` said when the model was trained; nothing where it said nothing."""
    return CardConfig.model_validate(provenance.get("settings", {}).get("card", {}))


def direction_of(directory: Path) -> tuple[str, str] | None:
    """What a model reads and writes, as the codes of its card; None where it says nothing of them.

    Raises:
        CheckpointError: provenance.json is there, and damaged.
    """
    path = directory / PROVENANCE
    if not path.exists():
        return None
    provenance = read_json(directory, PROVENANCE)
    try:
        card = card_of(provenance)
    except (AttributeError, ValueError) as error:
        raise CheckpointError(
            f"{path} is damaged: its card is not one that mtcli writes ({error}). Translating does not need it; delete "
            "it, and give the direction where the model is named."
        ) from None
    return (card.src_code, card.tgt_code) if card.src_code and card.tgt_code else None


def render_card(provenance: dict[str, Any]) -> str:
    """README.md for what provenance.json records."""
    card = card_of(provenance)
    of_a_direction = f"{card.direction}: a translation model made by mtcli"
    said = {"Good for": card.good_for, "Not for": card.not_for, "Credit": card.credit, "License": card.license}
    blocks = [
        f"# {card.title or (of_a_direction if card.direction else 'A translation model made by mtcli')}",
        "Translate with it: `mtcli translate -m DIRECTORY -i FILE`.",
        "\n".join(_facts(provenance)),
        *_tested(provenance.get("tests", [])),
        "Training files:",
        "\n".join(f"- {name}" for name in provenance["data"]["files"]["train"]),
        *(f"**{subject}**: {text}" for subject, text in said.items() if text),
        "It was trained on the text above and knows nothing else: expect good translations of similar text, poor ones "
        "of other kinds, and no word from it on which is which.",
        f"The settings, file hashes and versions are in {PROVENANCE}.",
    ]
    return "\n\n".join(map(_filled, blocks)) + "\n"


def _facts(provenance: dict[str, Any]) -> list[str]:
    training, data, scores = provenance["training"], provenance["data"], provenance["scores"]
    pieces, valid = data["vocabulary"], data["valid"]["pairs"] + data["valid"].get("too_long", 0)
    validated = f"{scores['bleu']:.2f} cased BLEU on {valid:,} validation pairs" if scores else "none yet"
    signature = f", `{scores['signature']}`" if "signature" in scores else ""
    return [
        f"- Network: encoder-decoder Transformer, {training['parameters']:,} parameters.",
        f"- Vocabulary (SentencePiece): {pieces['source']:,} source and {pieces['target']:,} target pieces.",
        f"- Trained on {data['train']['pairs']:,} sentence pairs for {training['steps']:,} steps: "
        f"{training['target_tokens']:,} target tokens, {training['minutes']:.1f} minutes on {training['device']}.",
        f"- Score in training: {validated} (step {scores.get('step', 0):,}{signature}).",
    ]


def _tested(tests: list[dict[str, Any]]) -> list[str]:
    """The scores on test sets, where the model was handed on with some."""
    if not tests:
        return []
    rows = [
        f"| {test['set']} | {test['lines']:,} | {test['beam']} | {test['bleu']:.1f} | {test['chrf']:.1f} |"
        for test in tests
    ]
    signatures = tests[0]["signatures"]
    return [
        "\n".join(["| test set | lines | beam | BLEU | chrF |", "|---|--:|--:|--:|--:|", *rows]),
        f"BLEU: `{signatures['bleu']}`\nchrF: `{signatures['chrf']}`",
    ]


def _filled(block: str) -> str:
    """A paragraph broken into lines; titles, lists, tables and signatures stay as they are."""
    return block if block[0] in "#-|" or "\n" in block else textwrap.fill(block, _WIDTH)
