"""A model directory in memory, ready to translate."""

from dataclasses import dataclass
from pathlib import Path

import torch

from mtcli.data.tokenizer import Tokenizers
from mtcli.errors import CheckpointError, ConfigError
from mtcli.model.implementations import Implementations
from mtcli.model.transformer import Transformer
from mtcli.model_directory.description import Architecture, load_architecture
from mtcli.model_directory.files import DESCRIPTION, MADE_BY, WEIGHTS
from mtcli.model_directory.tokenizers import load_tokenizers
from mtcli.model_directory.weights import load_weights, refuse_misfit, tensor_shapes


@dataclass(frozen=True)
class LoadedModel:
    """A model directory in memory, ready to translate."""

    network: Transformer
    tokenizers: Tokenizers
    architecture: Architecture

    def implementations(self, beam: int = 1) -> Implementations:
        """What runs to translate with it.

        Raises:
            BackendUnavailableError: the form of attention that was asked for cannot run here.
        """
        weight, head_dim = self.network.output.weight, self.architecture.model.largest_head_dim
        return Implementations.resolve(
            self.network.attention, weight.device, weight.dtype, head_dim=head_dim, beam=beam
        )


def load_model(directory: Path, device: torch.device, dtype: torch.dtype = torch.float32) -> LoadedModel:
    """Load a model directory for translation.

    Raises:
        CheckpointError: the directory is no model, a file of it is missing or damaged, or they do not fit together.
        DataError: a tokenizer file is no SentencePiece model.
    """
    architecture = load_architecture(directory)
    tokenizers = load_tokenizers(directory, architecture.checksums, architecture.text.normalisation)
    if tokenizers.sizes != architecture.vocabulary:
        raise CheckpointError(
            f"{directory}: the tokenizer has {tokenizers.src.vocab_size} source and {tokenizers.tgt.vocab_size} target "
            f"pieces, {DESCRIPTION} says {architecture.vocabulary.source} and {architecture.vocabulary.target}. "
            "Put back the tokenizer that the model was trained with."
        )
    weights = directory / WEIGHTS
    if not weights.exists():
        hint = " The training run has saved nothing yet." if (directory / "cache").is_dir() else ""
        raise CheckpointError(f"{directory} holds no {WEIGHTS}.{hint} {MADE_BY}")
    try:
        network = Transformer.skeleton(architecture.model, tokenizers.sizes)
    except ConfigError as error:
        raise CheckpointError(f"{directory / DESCRIPTION} does not describe an mtcli model: {error}") from None
    refuse_misfit(weights, network, tensor_shapes(weights))  # before any memory is asked for
    network.allocate(device)
    load_weights(network, weights)
    return LoadedModel(network.to(dtype).eval(), tokenizers, architecture)
