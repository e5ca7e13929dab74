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
from typing import Any

from mtcli.model_directory.files import DESCRIPTION


def checksum(content: bytes) -> str:
    """BLAKE2b-128 in hexadecimal."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def seal(description: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
    """config.json's content with the checksums of `files` and of itself."""
    checksums = {name: checksum(content) for name, content in files.items()}
    sealed = {**description, "checksums": checksums}
    return {**sealed, "checksums": {**checksums, DESCRIPTION: _content_checksum(sealed)}}


def broken_seal(description: Mapping[str, Any]) -> bool:
    """Whether config.json's content is not what was written; content without checksums is taken as it is."""
    if "checksums" not in description:
        return False
    checksums = description["checksums"]
    if not isinstance(checksums, dict):
        return True
    others = {name: value for name, value in checksums.items() if name != DESCRIPTION}
    return bool(checksums.get(DESCRIPTION) != _content_checksum({**description, "checksums": others}))


def _content_checksum(content: Mapping[str, Any]) -> str:
    """Of what the JSON says, however it is laid out."""
    return checksum(json.dumps(content, sort_keys=True).encode())
