"""Files of a model that somebody else made, read with care: what is wrong with one is said in a sentence."""

import json
import stat
from pathlib import Path
from typing import Any

from mtcli.errors import CheckpointError
from mtcli.files import file_error

_LARGEST = 1 << 28  # bytes of a file other than the weights


def read_bytes(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        CheckpointError: it is missing, unreadable, no plain file, or far too large for what it should be.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise CheckpointError(f"{path} is not a plain file. Download the model again.")
        if status.st_size > _LARGEST:
            raise CheckpointError(
                f"{path} has {status.st_size} bytes, more than such a file ever has. Download it again."
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise CheckpointError(
            f"{path.parent} holds no {path.name}. Expected the files of a Marian model in Hugging Face's form: "
            "config.json, model.safetensors, vocab.json, source.spm, target.spm."
        ) from None
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        CheckpointError: as `read_bytes`, or it is no JSON object.
    """
    try:
        content = json.loads(read_bytes(path).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged: not valid JSON ({error}). Download the model again.") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} is damaged: a JSON object was expected. Download the model again.")
    return content


def read_json_if_there(path: Path) -> dict[str, Any]:
    """The same, and nothing where there is no such file."""
    return read_json(path) if path.exists() else {}
