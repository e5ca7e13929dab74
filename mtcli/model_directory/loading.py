"""A model whose network is in memory, on a device: by PyTorch."""

from dataclasses import dataclass
from pathlib import Path

import torch

from mtcli.data.tokenizer import Tokenizers
from mtcli.model.implementations import Implementations
from mtcli.model.transformer import Transformer
from mtcli.model_directory.description import Architecture
from mtcli.model_directory.model import Model, Placement, StoredModel, Weights
from mtcli.model_directory.weights import parameters_of


@dataclass(frozen=True, eq=False)
class LoadedModel(Model):
    """A model with its network in memory, ready to translate."""

    network: Transformer
    tokenizers: Tokenizers
    architecture: Architecture
    directory: Path | None = None

    def implementations(self, beam: int = 1) -> Implementations:
        """What runs to translate with it.

        Raises:
            BackendUnavailableError: the form of attention that was asked for cannot run here.
        """
        weight, head_dim = self.network.output.weight, self.architecture.model.largest_head_dim
        return Implementations.resolve(
            self.network.attention, weight.device, weight.dtype, head_dim=head_dim, beam=beam
        )

    def check_weights(self) -> None:
        """Accept them: they are in memory already."""

    def read_weights(self) -> Weights:
        """Give the weights as they are now, in float32."""
        return {
            name: parameter.to("cpu", torch.float32, copy=True).numpy()
            for name, parameter in parameters_of(self.network).items()
        }

    @property
    def placement(self) -> Placement:
        weight = self.network.output.weight
        return Placement(str(weight.device), str(weight.dtype).removeprefix("torch."), self.network.attention)


def load_network(model: Model, device: torch.device, dtype: torch.dtype = torch.float32) -> LoadedModel:
    """Load the network of a model; one that is in memory stays where it is.

    Raises:
        CheckpointError: the weights are damaged, or not all finite numbers.
    """
    if isinstance(model, LoadedModel):
        return model
    network = Transformer.skeleton(model.architecture.model, model.architecture.vocabulary)
    weights = model.read_weights()  # before any memory is asked for
    network.allocate(device)
    for name, parameter in network.named_parameters():
        parameter.data.copy_(torch.from_numpy(weights[name]))
    return LoadedModel(network.to(dtype).eval(), model.tokenizers, model.architecture, model.directory)


def load_model(directory: Path, device: torch.device, dtype: torch.dtype = torch.float32) -> LoadedModel:
    """Load a model directory for translation.

    Raises:
        CheckpointError: the directory is no model, a file of it is missing or damaged, or they do not fit together.
        DataError: a tokenizer file is no SentencePiece model.
    """
    return load_network(StoredModel(directory), device, dtype)
