"""The plain files of a model directory: their names, and reading them with an error that says what is wrong."""

import json
import stat
from pathlib import Path
from typing import Any

from mtcli.errors import CheckpointError
from mtcli.files import file_error

WEIGHTS = "model.safetensors"
DESCRIPTION = "config.json"
MADE_BY = "Expected a directory that mtcli train or mtcli import made."
COPY_AGAIN = "Copy the model again from where it was made."
_LARGEST_JSON = 1 << 26  # bytes


def read_json(directory: Path, name: str) -> dict[str, Any]:
    """Read one of a model directory's JSON files.

    Raises:
        CheckpointError: it is missing, unreadable, or not a JSON object.
    """
    path = directory / name
    try:
        content = json.loads(read_bytes(path, _LARGEST_JSON).decode("utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged: not valid JSON ({error}). {COPY_AGAIN}") from None
    except RecursionError:
        raise CheckpointError(f"{path} is damaged: its JSON is nested too deeply. {COPY_AGAIN}") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} is damaged: a JSON object was expected. {COPY_AGAIN}")
    return content


def read_bytes(path: Path, largest: int | None = None) -> bytes:
    """The bytes of a model directory's file.

    Raises:
        CheckpointError: it is missing, unreadable, larger than `largest` bytes, or no plain file.
    """
    size = readable_size(path)
    if largest is not None and size > largest:
        raise CheckpointError(f"{path} is damaged: {size} bytes are more than a {path.name} ever has. {COPY_AGAIN}")
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None


def readable_size(path: Path) -> int:
    """Bytes of a file that may be read, to its end: a pipe in its place would be waited for for ever.

    Raises:
        CheckpointError: it is missing, out of reach, or no plain file.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        if path.parent.is_dir():
            raise CheckpointError(f"{path.parent} holds no {path.name}. {MADE_BY}") from None
        raise CheckpointError(f"The model {path.parent} does not exist. {MADE_BY}") from None
    except NotADirectoryError:
        raise CheckpointError(f"The model {path.parent} is a file. {MADE_BY}") from None
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None
    if not stat.S_ISREG(status.st_mode):
        raise CheckpointError(f"{path} is not a plain file. {MADE_BY}")
    try:
        path.open("rb").close()  # safetensors calls a file without permission a missing one
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None
    return status.st_size
