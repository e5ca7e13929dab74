"""Checksums of a model directory: whether its files are still what was written.

config.json's `checksums` holds one for each tokenizer file and one for config.json's own content.
model.safetensors carries its own, in its metadata (weights.py): training replaces that file while others read the
directory, and a checksum inside is replaced in the same step. It is made of the weights alone, so
equal weights are still equal bytes.

They find damage and careless edits, not forgery: whoever can write the files can write the checksums.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from mtcli.errors import CheckpointError
from mtcli.files import file_error
from mtcli.model_directory.files import COPY_AGAIN, DESCRIPTION, readable_size

CHECKSUM_KEY = "blake2b"  # in the weights' metadata, alone: safetensors writes several keys in no fixed order


def checksum(content: bytes) -> str:
    """BLAKE2b-128 in hexadecimal."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def seal(description: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
    """config.json's content with the checksums of `files` and of itself."""
    checksums = {name: checksum(content) for name, content in files.items()}
    sealed = {**description, "checksums": checksums}
    return {**sealed, "checksums": {**checksums, DESCRIPTION: content_checksum(sealed)}}


def broken_seal(description: Mapping[str, Any]) -> bool:
    """Whether config.json's content is not what was written; content without checksums is taken as it is."""
    if "checksums" not in description:
        return False
    checksums = description["checksums"]
    if not isinstance(checksums, dict):
        return True
    others = {name: value for name, value in checksums.items() if name != DESCRIPTION}
    return bool(checksums.get(DESCRIPTION) != content_checksum({**description, "checksums": others}))


def content_checksum(content: Mapping[str, Any]) -> str:
    """Of what the JSON says, however it is laid out."""
    return checksum(json.dumps(content, sort_keys=True).encode())


def stored_checksum(path: Path) -> str | None:
    """The checksum of its tensors that a safetensors file says it has; None where it says none.

    Raises:
        CheckpointError: it is missing, unreadable or damaged.
    """
    readable_size(path)
    try:
        with safe_open(path, framework="np") as file:
            return known_metadata(path, file.metadata()).get(CHECKSUM_KEY)
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged or not a safetensors file ({error}). {COPY_AGAIN}") from None
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None


def known_metadata(path: Path, metadata: dict[str, str] | None) -> dict[str, str]:
    """The metadata, unless it has a key that mtcli never writes: the checksum's own name may be what is damaged."""
    found = metadata or {}
    if foreign := sorted(found.keys() - {CHECKSUM_KEY, "format"}):
        raise CheckpointError(
            f"{path} is damaged or not mtcli's: its metadata has an unknown key {foreign[0]!r}. {COPY_AGAIN}"
        )
    return found
