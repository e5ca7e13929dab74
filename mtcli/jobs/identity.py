"""What makes two calls of `mtcli translate` the same job: all that can change a byte of its outputs."""

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from mtcli import __version__
from mtcli.files import content_hash

_MODEL_FILES = (
    *("config.json", "model.safetensors"),
    *("tokenizer.model", "source.model", "target.model", "vocabulary.json"),
)
_NAMES = {
    "model": "the model",
    "inputs": "the input",
    "outputs": "the outputs asked for",
    "options": "an option",
    "versions": "the version of mtcli or PyTorch",
}


def job_key(
    model: Path, inputs: Sequence[Path], outputs: Sequence[Path], options: Mapping[str, object]
) -> dict[str, str]:
    """A hash for each kind of thing that the outputs depend on; reads the model's files and the inputs once.

    Args:
        model: a model directory; a file that it lacks is left to whoever loads it.
        inputs: plain files.
        outputs: all that will be written.
        options: all options that can change what is written, by name; JSON can hold their values.

    Raises:
        DataError: a file cannot be read.
    """
    found = [model / name for name in _MODEL_FILES if (model / name).is_file()]
    parts = {
        "model": [(path.name, content_hash(path)) for path in found],
        "inputs": [(path.suffix, content_hash(path)) for path in inputs],  # the suffix says whether it is compressed
        "outputs": [str(path) for path in outputs],
        "options": options,
        "versions": [__version__, importlib.metadata.version("torch")],
    }
    return {name: _hash(part) for name, part in parts.items()}


def difference(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What has changed, for a sentence: `the model and an option have`."""
    changed = [phrase for name, phrase in _NAMES.items() if before.get(name) != now.get(name)]
    *others, last = changed or ["something"]
    return f"{', '.join(others)} and {last} have" if others else f"{last} has"


def _hash(part: object) -> str:
    return hashlib.blake2b(json.dumps(part, sort_keys=True).encode(), digest_size=16).hexdigest()
