"""model.safetensors: a network's parameters, with a checksum over them in the file's metadata."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mtcli.errors import CheckpointError
from mtcli.files import file_error
from mtcli.model.transformer import Transformer
from mtcli.model_directory.files import COPY_AGAIN, DESCRIPTION, readable_size
from mtcli.model_directory.integrity import CHECKSUM_KEY, known_metadata

_ATTEMPTS = 5


def weights_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Tensors as a safetensors file; the only metadata is their checksum."""
    on_cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save(on_cpu, {CHECKSUM_KEY: tensors_checksum(on_cpu)})


def parameters_of(network: Transformer) -> dict[str, Tensor]:
    """The network's parameters by name, shared matrices once."""
    return {name: parameter.detach() for name, parameter in network.named_parameters()}


def tensors_checksum(tensors: Mapping[str, Tensor]) -> str:
    """BLAKE2b-128 over the tensors' names, dtypes, shapes and bytes, in the order of their names."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name}\n{tensor.dtype}\n{list(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def read_tensors(path: Path, device: torch.device) -> dict[str, Tensor]:
    """Read a safetensors file and compare its tensors with the checksum in its metadata, where it has one.

    Raises:
        CheckpointError: it is missing, unreadable or damaged.
    """
    for _ in range(_ATTEMPTS):
        before = _identity(path)
        tensors, metadata = _open(path)
        expected = metadata.get(CHECKSUM_KEY)
        if expected is None or tensors_checksum(tensors) == expected:
            return {name: tensor.to(device) for name, tensor in tensors.items()}
        if _identity(path) == before:  # else training has just replaced it, and we saw both
            break
    raise CheckpointError(f"{path} is damaged: its weights do not fit its checksum. {COPY_AGAIN}")


def _identity(path: Path) -> tuple[int, int, int]:
    readable_size(path)
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _open(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = known_metadata(path, file.metadata())
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged or not a safetensors file ({error}). {COPY_AGAIN}") from None
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None


def tensor_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The tensors' shapes, by name; reads no more than the header."""
    readable_size(path)
    try:
        with safe_open(path, framework="pt") as file:
            known_metadata(path, file.metadata())
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged or not a safetensors file ({error}). {COPY_AGAIN}") from None
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None


def load_weights(network: Transformer, path: Path) -> None:
    """Fill the network's parameters from a safetensors file.

    Raises:
        CheckpointError: the file is damaged, its tensors' names or shapes are not the network's, or a weight is
            not a finite number.
    """
    tensors = read_tensors(path, torch.device("cpu"))
    refuse_misfit(path, network, {name: tuple(tensor.shape) for name, tensor in tensors.items()})
    for name, parameter in network.named_parameters():
        parameter.data.copy_(tensors[name])
        if not torch.isfinite(torch.stack(torch.aminmax(parameter.data))).all():
            raise CheckpointError(
                f"{path}: {name} holds a weight that is no finite number (NaN or infinity). {COPY_AGAIN}"
            )


def refuse_misfit(path: Path, network: Transformer, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Compare a file's tensors with the network's parameters.

    Raises:
        CheckpointError: a name or a shape differs.
    """
    expected = {name: tuple(parameter.shape) for name, parameter in network.named_parameters()}
    missing, foreign = sorted(expected.keys() - shapes.keys()), sorted(shapes.keys() - expected.keys())
    if missing or foreign:
        found = f"lacks {missing[0]}" if missing else f"has an unknown tensor {foreign[0]}"
        raise CheckpointError(
            f"{path} {found} ({len(missing)} missing, {len(foreign)} unknown): it does not fit {DESCRIPTION}. "
            "Put back the file that was written with it."
        )
    for name, shape in expected.items():
        if shapes[name] != shape:
            raise CheckpointError(
                f"{path}: {name} has shape {list(shapes[name])}, {DESCRIPTION} makes it {list(shape)}. "
                "Put back the file that was written with it."
            )
