"""What a model directory says about itself: provenance.json for programs, README.md for people."""

import importlib.metadata
import json
import platform
from pathlib import Path
from typing import Any

from mtcli import __version__
from mtcli.files import write_atomically


def versions() -> dict[str, str]:
    """Versions of mtcli and what it computes with."""
    found = {"mtcli": __version__, "python": platform.python_version()}
    for name in ("torch", "sentencepiece", "sacrebleu"):
        found[name] = importlib.metadata.version(name)
    return found


def write_card(directory: Path, provenance: dict[str, Any]) -> None:
    """Write provenance.json and README.md."""
    write_atomically(directory / "provenance.json", json.dumps(provenance, indent=2, ensure_ascii=False) + "\n")
    write_atomically(directory / "README.md", _readme(provenance))


def _readme(provenance: dict[str, Any]) -> str:
    training, data, scores = provenance["training"], provenance["data"], provenance["scores"]
    pieces = data["vocabulary"]
    files = "\n".join(f"- {name}" for name in data["files"]["train"])
    validated = (
        f"{scores['bleu']:.2f} cased BLEU on {data['valid']['pairs']:,} validation pairs" if scores else "none yet"
    )
    return f"""# A translation model made by mtcli

Translate with it: `mtcli translate -m DIRECTORY -i FILE`.

- Network: encoder-decoder Transformer, {training["parameters"]:,} parameters.
- Vocabulary (SentencePiece): {pieces["source"]:,} source and {pieces["target"]:,} target pieces.
- Trained on {data["train"]["pairs"]:,} sentence pairs for {training["steps"]:,} steps
  ({training["target_tokens"]:,} target tokens, {training["minutes"]:.1f} minutes on {training["device"]}).
- Score: {validated} (step {scores.get("step", 0):,}).

Training files:

{files}

It was trained on the text above and knows nothing else: expect good translations of similar text, poor ones
of other kinds. The settings, file hashes and versions are in provenance.json.
"""
