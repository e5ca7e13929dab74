"""The models that are decoded, written so that every contestant reads the same weights (`benchmarks.peers.weights`)."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtcli.bench.work.subject import random_network
from mtcli.config import ModelConfig, VocabularySizes
from mtcli.data.tokenizer import BOS_ID, EOS_ID
from mtcli.model.transformer import Transformer
from mtcli.model_directory.description import Architecture, load_architecture
from mtcli.model_directory.tokenizers import load_tokenizers
from mtcli.model_directory.weights import parameters_of, weights_bytes

DESCRIPTION = "description.json"


@dataclass(frozen=True)
class Shape:
    """A model in numbers.

    Attributes:
        num_positions: tokens a side that positions exist for.
    """

    config: ModelConfig
    vocabulary: VocabularySizes
    parameters: int
    num_positions: int

    @classmethod
    def of(cls, network: Transformer) -> "Shape":
        return cls(network.config, network.vocabulary, network.num_parameters(), network.max_positions)

    def record(self) -> dict[str, Any]:
        """The `model` entry of a results file."""
        config = self.config
        return {
            "encoder_layers": config.encoder_layers,
            "decoder_layers": config.decoder_layers,
            "d_model": config.d_model,
            "ffn_dim": config.ffn_dim,
            "heads": config.heads,
            "norm": config.norm,
            "vocabulary": self.vocabulary.target,
            "parameters": self.parameters,
        }


def write_random(folder: Path, preset: str, vocab_size: int, seed: int) -> Shape:
    """A model of a preset's shape with a joint vocabulary and random weights: its description in `folder`."""
    network = random_network(preset, vocab_size, seed)
    weights = folder / "random.safetensors"
    weights.write_bytes(weights_bytes(parameters_of(network)))
    _write(folder, network, {"weights": str(weights), "start": BOS_ID, "eos": EOS_ID, "banned": [], "directory": None})
    return Shape.of(network)


def write_trained(folder: Path, directory: Path) -> Shape:
    """The description, in `folder`, of the model that mtcli trained in `directory`.

    Raises:
        CheckpointError: the directory is no model.
        DataError: its tokenizer is damaged.
    """
    architecture: Architecture = load_architecture(directory)
    tgt = load_tokenizers(directory, architecture.checksums).tgt
    network = Transformer.skeleton(architecture.model, architecture.vocabulary)
    special = {"start": tgt.start_id, "eos": tgt.eos_id, "banned": tgt.never_generated}
    places = {"weights": str(directory / "model.safetensors"), "directory": str(directory)}
    _write(folder, network, special | places)
    return Shape.of(network)


def _write(folder: Path, network: Transformer, parts: Mapping[str, Any]) -> None:
    content = {
        "model": network.config.model_dump(),
        "vocabulary": dataclasses.asdict(network.vocabulary),
        "num_positions": network.max_positions,
        **parts,
    }
    (folder / DESCRIPTION).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
