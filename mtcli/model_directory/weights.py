"""model.safetensors: a network's parameters, with a checksum over them in the file's metadata."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from mtcli.model.transformer import Transformer
from mtcli.model_directory.integrity import CHECKSUM_KEY
from mtcli.model_directory.tensor_file import DTYPES, StoredTensor, checksum_of, read_tensor_file, read_weights


def weights_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Tensors as a safetensors file; the only metadata is their checksum."""
    on_cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save(on_cpu, {CHECKSUM_KEY: tensors_checksum(on_cpu)})


def parameters_of(network: Transformer) -> dict[str, Tensor]:
    """The network's parameters by name, shared matrices once."""
    return {name: parameter.detach() for name, parameter in network.named_parameters()}


def tensors_checksum(tensors: Mapping[str, Tensor]) -> str:
    """BLAKE2b-128 over the tensors' names, dtypes, shapes and bytes, in the order of their names."""
    on_cpu = ((name, tensor.detach().cpu().contiguous()) for name, tensor in tensors.items())
    return checksum_of(
        (name, str(tensor.dtype).removeprefix("torch."), tensor.shape, tensor.reshape(-1).view(torch.uint8).numpy())
        for name, tensor in on_cpu
    )


def read_tensors(path: Path, device: torch.device) -> dict[str, Tensor]:
    """Read a safetensors file and compare its tensors with the checksum in its metadata, where it has one.

    Raises:
        CheckpointError: it is missing, unreadable or damaged.
    """
    return {name: _tensor(stored, device) for name, stored in read_tensor_file(path).items()}


def _tensor(stored: StoredTensor, device: torch.device) -> Tensor:
    mapped = torch.from_numpy(stored.content).view(getattr(torch, DTYPES[stored.dtype])).reshape(stored.shape)
    return mapped.to(device, copy=True)  # the file may go, and be written to


def load_weights(network: Transformer, path: Path) -> None:
    """Fill the network's parameters from a safetensors file.

    Raises:
        CheckpointError: the file is damaged, its tensors' names or shapes are not the network's, or a weight is
            not a finite number.
    """
    parameters = dict(network.named_parameters())
    expected = {name: tuple(parameter.shape) for name, parameter in parameters.items()}
    for name, values in read_weights(path, expected).items():
        parameters[name].data.copy_(torch.from_numpy(values))
