"""A safetensors file read without PyTorch: its tensors mapped into memory, compared with the checksum in its metadata.

safetensors itself says whether the file is sound; what it would copy, or cannot give to numpy, is then taken from the
mapped file.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from mtcli.errors import CheckpointError
from mtcli.files import file_error
from mtcli.model_directory.files import COPY_AGAIN, DESCRIPTION, readable_size
from mtcli.model_directory.integrity import CHECKSUM_KEY, known_metadata

DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}
"""By safetensors' name of a number type, PyTorch's and numpy's, which has no bfloat16."""

_ATTEMPTS = 5


class StoredTensor(NamedTuple):
    """A tensor in a file.

    Attributes:
        dtype: a key of `DTYPES`.
        content: its bytes, uint8, mapped into memory: pages are read when they are used, and written nowhere.
    """

    dtype: str
    shape: tuple[int, ...]
    content: npt.NDArray[np.uint8]

    def to_numpy(self) -> npt.NDArray[Any]:
        """Give float16 and float32 as they are stored, whatever else as float32."""
        if self.dtype == "BF16":  # the upper half of a float32
            wide = self._as("uint16").astype(np.uint32) << 16
            return wide.view(np.float32)
        values = self._as(DTYPES[self.dtype])
        if self.dtype in ("F16", "F32"):
            return values
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is told so
            return values.astype(np.float32)

    def _as(self, dtype: str) -> npt.NDArray[Any]:
        aligned = self.content if self.content.ctypes.data % 8 == 0 else self.content.copy()
        return aligned.view(dtype).reshape(self.shape)


def read_tensor_file(path: Path) -> dict[str, StoredTensor]:
    """Read a safetensors file and compare its tensors with the checksum in its metadata, where it has one.

    Raises:
        CheckpointError: it is missing, unreadable or damaged.
    """
    for _ in range(_ATTEMPTS):
        before = _identity(path)
        tensors, metadata = _map(path)
        expected = metadata.get(CHECKSUM_KEY)
        described = ((name, DTYPES[one.dtype], one.shape, one.content.data) for name, one in tensors.items())
        if expected is None or checksum_of(described) == expected:
            return tensors
        if _identity(path) == before:  # else training has just replaced it, and we saw both
            break
    raise CheckpointError(f"{path} is damaged: its weights do not fit its checksum. {COPY_AGAIN}")


def checksum_of(tensors: Iterable[tuple[str, str, Iterable[int], Any]]) -> str:
    """BLAKE2b-128 over tensors in the order of their names: of each its name, number type, shape and bytes."""
    digest = hashlib.blake2b(digest_size=16)
    for name, dtype, shape, content in sorted(tensors, key=lambda tensor: tensor[0]):
        digest.update(f"{name}\ntorch.{dtype}\n{list(shape)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def tensor_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The tensors' shapes, by name; reads no more than the header.

    Raises:
        CheckpointError: it is missing, unreadable or damaged.
    """
    header, _, _ = _header(path)
    return {name: tuple(entry["shape"]) for name, entry in header.items()}


def refuse_misfit(path: Path, expected: Mapping[str, tuple[int, ...]], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Compare the shapes of a file's tensors with those that the network expects.

    Raises:
        CheckpointError: a name or a shape differs.
    """
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


def read_weights(path: Path, expected: Mapping[str, tuple[int, ...]]) -> dict[str, npt.NDArray[Any]]:
    """Read the weights of a network that has parameters of these shapes, in its order.

    Returns:
        By name, float32, or float16 where they are stored so; mapped into memory, so that what is written to them
        reaches no file.

    Raises:
        CheckpointError: the file is missing or damaged, its tensors' names or shapes are others, or a weight is not a
            finite number.
    """
    refuse_misfit(path, expected, tensor_shapes(path))
    tensors = read_tensor_file(path)
    refuse_misfit(path, expected, {name: tensor.shape for name, tensor in tensors.items()})
    weights = {name: tensors[name].to_numpy() for name in expected}
    for name, values in weights.items():
        if not _is_finite(values):
            raise CheckpointError(
                f"{path}: {name} holds a weight that is no finite number (NaN or infinity). {COPY_AGAIN}"
            )
    return weights


def _is_finite(values: npt.NDArray[Any]) -> bool:
    if values.dtype == np.float16:  # numpy computes with these one by one
        return bool((values.view(np.uint16) & 0x7C00 != 0x7C00).all())
    return bool(np.isfinite(values.min()) and np.isfinite(values.max()))


def _identity(path: Path) -> tuple[int, int, int]:
    readable_size(path)
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _map(path: Path) -> tuple[dict[str, StoredTensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file."""
    header, metadata, start = _header(path)
    try:
        content = np.memmap(path, np.uint8, mode="c")  # copied where somebody writes: the file stays as it is
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None
    tensors = {}
    for name, entry in header.items():
        begin, end = (start + offset for offset in entry["data_offsets"])
        if entry["dtype"] not in DTYPES or end > content.size:
            raise CheckpointError(f"{path}: {name} is of the number type {entry['dtype']}, or cut short. {COPY_AGAIN}")
        tensors[name] = StoredTensor(entry["dtype"], tuple(entry["shape"]), content[begin:end].view(np.ndarray))
    return tensors, metadata


def _header(path: Path) -> tuple[dict[str, dict[str, Any]], dict[str, str], int]:
    """What a file says of each tensor, its metadata, and where the tensors begin in it."""
    readable_size(path)
    try:
        with safe_open(path, framework="np") as file:  # which checks all of it
            metadata = known_metadata(path, file.metadata())
        with path.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(size))
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged or not a safetensors file ({error}). {COPY_AGAIN}") from None
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None
    header.pop("__metadata__", None)
    return header, metadata, 8 + size
