"""What makes two translations of files the same job: all that can change a byte of their outputs.

It is derived from the fields of the job and of the options in it. A field counts by its value, a file that it names by
what the file holds, unless the field's metadata says otherwise: so an option that is new cannot be forgotten.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from mtcli import __version__
from mtcli.files import content_hash

_MODEL_FILES = (
    *("config.json", "model.safetensors"),
    *("tokenizer.model", "source.model", "target.model", "vocabulary.json"),
    *("provenance.json", "checking.json"),  # the languages, and what is usual: checks and repairs go by them
)
_NAMES = {
    "model": "the model",
    "inputs": "the input",
    "outputs": "the outputs asked for",
    "options": "an option",
    "versions": "the engine, or the version of mtcli or PyTorch",
}
# Metadata of fields that are no options. (Of those that change no byte: mtcli/decoding/options.py.)
MODEL = {"identity": "model"}
INPUTS = {"identity": "inputs"}
OUTPUTS = {"identity": "outputs"}


def job_key(job: Any, versions: Sequence[str] = ()) -> dict[str, str]:
    """Hash each kind of thing that the outputs of a job depend on; reads the model's files and the inputs once.

    Args:
        job: a dataclass such as `FileJob`; a file that its model directory lacks is left to whoever loads it.
        versions: of what rounds, beside mtcli's own.

    Raises:
        DataError: a file cannot be read.
    """
    parts = {name: _part(job, name) for name in _MEANS}
    parts["versions"] = [__version__, *versions]
    return {name: _hash(part) for name, part in parts.items()}


def difference(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Say what has changed, for a sentence: `the model and an option have`."""
    changed = [phrase for name, phrase in _NAMES.items() if before.get(name) != now.get(name)]
    *others, last = changed or ["something"]
    return f"{', '.join(others)} and {last} have" if others else f"{last} has"


def _part(instance: Any, part: str) -> object:
    """The fields of a dataclass that belong to a part of the identity, as JSON can hold them."""
    chosen = [field.name for field in fields(instance) if field.metadata.get("identity", "options") == part]
    return {name: _MEANS[part](getattr(instance, name)) for name in chosen}


def _model_files(directory: Path) -> object:
    found = [directory / name for name in _MODEL_FILES if (directory / name).is_file()]
    return [(path.name, content_hash(path)) for path in found]


def _places(value: Any) -> object:
    if isinstance(value, Path):
        return str(value.resolve())
    return value and [_places(path) for path in value]


def _meaning(value: Any) -> object:
    """A value as JSON can hold it."""
    if isinstance(value, Path):
        return value.suffix, content_hash(value)  # the suffix says whether it is compressed
    if is_dataclass(value):
        return _part(value, "options")
    if isinstance(value, Mapping):
        return {str(key): _meaning(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_meaning(item) for item in value]
    return value


_MEANS: dict[str, Callable[[Any], object]] = {
    "model": _model_files,
    "inputs": _meaning,
    "outputs": _places,
    "options": _meaning,
}


def _hash(part: object) -> str:
    return hashlib.blake2b(json.dumps(part, sort_keys=True).encode(), digest_size=16).hexdigest()
