"""The model directory: what `mtcli train` leaves and everything else loads. No file in it can run code.

model.safetensors (weights alone, so equal weights are equal bytes), config.json, tokenizer.model (or
source.model and target.model), provenance.json, README.md.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from mtcli.config import DecodingConfig, ModelConfig
from mtcli.data.prepare import Tokenizers
from mtcli.data.tokenizer import Tokenizer
from mtcli.errors import CheckpointError
from mtcli.files import file_error, write_atomically
from mtcli.model.transformer import Transformer, VocabularySizes

FORMAT_VERSION = 1
WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Architecture:
    """What config.json holds: enough to build the network the weights fit."""

    model: ModelConfig
    vocabulary: VocabularySizes
    decoding: DecodingConfig

    def to_json(self) -> str:
        content = {
            "format_version": FORMAT_VERSION,
            "model": self.model.model_dump(),
            "vocabulary": asdict(self.vocabulary),
            "decoding": self.decoding.model_dump(),
        }
        return json.dumps(content, indent=2) + "\n"


@dataclass(frozen=True)
class LoadedModel:
    """A model directory in memory, ready to translate."""

    network: Transformer
    tokenizers: Tokenizers
    architecture: Architecture


def sizes_of(tokenizers: Tokenizers) -> VocabularySizes:
    return VocabularySizes(source=tokenizers.src.vocab_size, target=tokenizers.tgt.vocab_size, shared=tokenizers.shared)


def weights_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Tensors as a safetensors file with no metadata but the format's own."""
    return save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, {"format": "pt"})


def parameters_of(network: Transformer) -> dict[str, Tensor]:
    """The network's parameters by name, shared matrices once."""
    return {name: parameter.detach() for name, parameter in network.named_parameters()}


def write_description(directory: Path, architecture: Architecture, tokenizers: Tokenizers) -> None:
    """Write everything but the weights and the provenance.

    Raises:
        DataError: the directory cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise file_error(directory, error, "write") from error
    write_atomically(directory / "config.json", architecture.to_json())
    if tokenizers.shared:
        write_atomically(directory / "tokenizer.model", tokenizers.src.model)
    else:
        write_atomically(directory / "source.model", tokenizers.src.model)
        write_atomically(directory / "target.model", tokenizers.tgt.model)


def load_model(directory: Path, device: torch.device, dtype: torch.dtype = torch.float32) -> LoadedModel:
    """Load a model directory for translation.

    Raises:
        CheckpointError: the directory is no model, a file of it is missing or damaged, or they do not fit together.
    """
    architecture = load_architecture(directory)
    tokenizers = load_tokenizers(directory)
    if sizes_of(tokenizers) != architecture.vocabulary:
        raise CheckpointError(
            f"{directory}: the tokenizer has {tokenizers.src.vocab_size} source and {tokenizers.tgt.vocab_size} target "
            f"pieces, config.json says {architecture.vocabulary.source} and {architecture.vocabulary.target}. "
            "Put back the tokenizer that the model was trained with."
        )
    network = Transformer.empty(architecture.model, architecture.vocabulary, device)
    weights = directory / WEIGHTS
    if not weights.exists():
        hint = " The training run has saved nothing yet." if (directory / "cache").is_dir() else ""
        raise CheckpointError(f"{directory} holds no {WEIGHTS}.{hint} Expected a directory that mtcli train made.")
    load_weights(network, weights, device)
    return LoadedModel(network.to(dtype).eval(), tokenizers, architecture)


def load_architecture(directory: Path) -> Architecture:
    """Read config.json.

    Raises:
        CheckpointError: it is missing, damaged, or of a newer format.
    """
    content = read_json(directory, "config.json")
    version = content.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise CheckpointError(
            f"{directory}/config.json has format_version {version!r}; this mtcli reads up to {FORMAT_VERSION}. "
            "A newer mtcli wrote it: upgrade."
        )
    try:
        return Architecture(
            ModelConfig.model_validate(content["model"]),
            VocabularySizes(**content["vocabulary"]),
            DecodingConfig.model_validate(content["decoding"]),
        )
    except (KeyError, TypeError, ValidationError) as error:
        detail = str(error).replace("\n", " ")
        raise CheckpointError(f"{directory}/config.json does not describe an mtcli model: {detail}.") from None


def read_json(directory: Path, name: str) -> dict[str, Any]:
    """Read one of a model directory's JSON files.

    Raises:
        CheckpointError: it is missing, unreadable, or not a JSON object.
    """
    path = directory / name
    if not directory.is_dir():
        what = "is a file" if directory.exists() else "does not exist"
        raise CheckpointError(f"The model {directory} {what}. Expected a directory that mtcli train made.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{directory} holds no {name}. Expected a directory that mtcli train made.") from None
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged: not valid JSON ({error}).") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} is damaged: a JSON object was expected.")
    return content


def load_tokenizers(directory: Path) -> Tokenizers:
    """Read tokenizer.model, or source.model and target.model.

    Raises:
        CheckpointError: none is there.
        DataError: a file is no SentencePiece model.
    """
    shared = directory / "tokenizer.model"
    if shared.exists():
        tokenizer = Tokenizer.from_file(shared)
        return Tokenizers(tokenizer, tokenizer)
    if not (directory / "source.model").exists():
        raise CheckpointError(f"{directory} holds no tokenizer.model. Expected a directory that mtcli train made.")
    return Tokenizers(Tokenizer.from_file(directory / "source.model"), Tokenizer.from_file(directory / "target.model"))


def read_tensors(path: Path, device: torch.device) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises:
        CheckpointError: it is missing, unreadable or damaged.
    """
    try:
        return load_file(path, device=str(device))
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing.") from None
    except SafetensorError as error:
        raise CheckpointError(f"{path} is damaged or not a safetensors file ({error}).") from None
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None


def load_weights(network: Transformer, path: Path, device: torch.device) -> None:
    """Fill the network's parameters from a safetensors file.

    Raises:
        CheckpointError: the file is damaged, or its tensors' names or shapes are not the network's.
    """
    tensors = read_tensors(path, device)
    expected = dict(network.named_parameters())
    missing, foreign = sorted(expected.keys() - tensors.keys()), sorted(tensors.keys() - expected.keys())
    if missing or foreign:
        found = f"lacks {missing[0]}" if missing else f"has an unknown tensor {foreign[0]}"
        raise CheckpointError(
            f"{path} {found} ({len(missing)} missing, {len(foreign)} unknown): it does not fit config.json."
        )
    for name, parameter in expected.items():
        if parameter.shape != tensors[name].shape:
            raise CheckpointError(
                f"{path}: {name} has shape {list(tensors[name].shape)}, config.json makes it {list(parameter.shape)}."
            )
        parameter.data.copy_(tensors[name])
