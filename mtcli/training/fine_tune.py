"""Go on training an existing model on another corpus, with the model's own network and vocabulary."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mtcli.config import Config
from mtcli.data.normalisation import CURRENT
from mtcli.errors import CheckpointError, ConfigError
from mtcli.model_directory.card import PROVENANCE
from mtcli.model_directory.description import Architecture, load_architecture
from mtcli.model_directory.files import read_json
from mtcli.model_directory.loading import load_model
from mtcli.model_directory.tokenizers import has_lists, tokenizer_files

# What a network is trained with rather than made of: these may differ from the model's.
_TRAINED_WITH = {"dropout", "attention_dropout", "activation_dropout"}
_VOCABULARY = (
    *("tokenizer", "src_tokenizer", "tgt_tokenizer", "vocab_size", "joint"),
    *("tokenizer_type", "character_coverage", "tokenizer_lines"),
)
_FEW_PAIRS = 500


def fine_tuning_config(config: Config) -> Config:
    """The configuration with the model's sizes and tokenizers in place; as it is when nothing is fine-tuned.

    Raises:
        CheckpointError: the directory is no model, or a file of it is missing or damaged.
        ConfigError: the configuration asks for another network or vocabulary than the model's.
    """
    directory = config.training.fine_tune
    if config.model.output_bias:
        raise ConfigError("model.output_bias is for imported models: training does not learn it. Leave it out.")
    if directory is None:
        return config
    # All of it, as what is missing or damaged should be found before the corpus is prepared
    architecture = load_model(directory, torch.device("cpu")).architecture
    if has_lists(directory, architecture.checksums) or architecture.model.output_bias:
        raise ConfigError(
            f"The model to fine-tune, {directory}, was imported: mtcli translates with such models, and does not train "
            "their vocabularies and output biases. Fine-tune a model that mtcli train made."
        )
    _refuse_other_network(config, architecture, directory)
    _refuse_other_vocabulary(config, directory)
    kept = {name: getattr(config.model, name) for name in _TRAINED_WITH & config.model.model_fields_set}
    files = tokenizer_files(directory, architecture.checksums)
    tokenizers = {"tokenizer": files[0]} if len(files) == 1 else {"src_tokenizer": files[0], "tgt_tokenizer": files[1]}
    data = config.data.model_copy(update={**tokenizers, "vocab_size": architecture.vocabulary.target})
    return config.model_copy(update={"model": architecture.model.model_copy(update=kept), "data": data})


def _refuse_other_network(config: Config, architecture: Architecture, directory: Path) -> None:
    if config.preset:
        raise ConfigError(
            f"--preset {config.preset} describes a network, and fine-tuning keeps that of the model ({directory}). "
            "Leave the preset out; --set training.KEY=VALUE changes how it is trained."
        )
    for name in sorted(config.model.model_fields_set - _TRAINED_WITH):
        wanted, found = getattr(config.model, name), getattr(architecture.model, name)
        if wanted != found:
            raise ConfigError(
                f"The model to fine-tune, {directory}, has model.{name} = {found!r}, and the configuration says "
                f"{wanted!r}. A trained network keeps its shape: leave the setting out."
            )


def _refuse_other_vocabulary(config: Config, directory: Path) -> None:
    data = config.data
    given = [name for name in _VOCABULARY if name in data.model_fields_set and getattr(data, name) is not None]
    if given:
        raise ConfigError(
            f"data.{given[0]} is given, and fine-tuning keeps the vocabulary of the model ({directory}): its "
            "embeddings belong to those pieces. Leave the setting out, or train a new model."
        )


def normalisation_of(config: Config) -> int:
    """The version of the rule by which a run reads its text: a model to fine-tune keeps its own.

    Raises:
        CheckpointError: the model's config.json is missing or damaged.
    """
    directory = config.training.fine_tune
    return load_architecture(directory).text.normalisation if directory else CURRENT


def advice(directory: Path, facts: Mapping[str, Any]) -> str | None:
    """What to do where fine-tuning has few pairs and some of these were held out; `facts` are the corpus's."""
    held_out = facts["valid"]["pairs"]
    num_pairs = facts["train"]["pairs"] + held_out
    if not facts["held_out"] or num_pairs >= _FEW_PAIRS:
        return None
    files = _validation_files(directory)
    given = f"--valid-src {files[0]} --valid-tgt {files[1]}" if len(files) == 2 else "--valid-src F --valid-tgt F"
    return (
        f"Of only {num_pairs:,} pairs {held_out:,} are held out to validate on. To train on all of them, validate on "
        f"the set that {directory} was trained with: {given}."
    )


def _validation_files(directory: Path) -> list[str]:
    """Those of a model's own training, where it says so and they are still there."""
    try:
        named = list(read_json(directory, PROVENANCE)["data"]["files"]["valid"])
    except (CheckpointError, KeyError, TypeError):
        return []
    return named if all(Path(name).exists() for name in named) else []
