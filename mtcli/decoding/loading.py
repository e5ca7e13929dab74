"""A model loaded where and how the options ask for it."""

from pathlib import Path

from mtcli.decoding.options import ComputeOptions
from mtcli.devices import decoding_dtype, prepare_cpu, resolve_device
from mtcli.model_directory.loading import LoadedModel, load_model


def load_for(directory: Path, compute: ComputeOptions) -> LoadedModel:
    """Load a model directory, and make this process ready to compute with it.

    Raises:
        CheckpointError: the directory is no model, or damaged.
        BackendUnavailableError: the device, number type or form of attention is not to be had here.
    """
    prepare_cpu()
    device = resolve_device(compute.device)
    model = load_model(directory, device, decoding_dtype(compute.dtype, device))
    model.network.attention = compute.attention
    model.implementations()
    return model
