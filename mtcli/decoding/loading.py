"""A model's network loaded where and how the options ask for it, by PyTorch."""

from pathlib import Path

from mtcli.decoding.options import ComputeOptions
from mtcli.devices import decoding_dtype, prepare_cpu, resolve_device
from mtcli.model_directory.loading import LoadedModel, load_network
from mtcli.model_directory.model import Model, StoredModel


def load_for(model: Path | Model, compute: ComputeOptions) -> LoadedModel:
    """Load a model's network, and make this process ready to compute with it; one in memory stays as it is.

    Raises:
        CheckpointError: the directory is no model, or damaged.
        BackendUnavailableError: the device, number type or form of attention is not to be had here.
    """
    if isinstance(model, LoadedModel):
        return model
    prepare_cpu()
    device = resolve_device(compute.device)
    dtype = decoding_dtype(compute.dtype, device)
    loaded = load_network(model if isinstance(model, Model) else StoredModel(model), device, dtype)
    loaded.network.attention = compute.attention
    loaded.implementations()
    return loaded
