"""A trained model made ready to hand on: the files that make a model, and none of the run's.

No directory of the machine it was trained on is left in what it says of itself, only the names of files.
"""

import json
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

import torch

from mtcli.checking.calibration import CALIBRATION_FILE
from mtcli.errors import CheckpointError, ConfigError
from mtcli.files import write_atomically
from mtcli.interop.reference import SENTENCES, stored
from mtcli.model_directory.card import CARD, PROVENANCE, write_card
from mtcli.model_directory.description import write_description
from mtcli.model_directory.files import WEIGHTS, read_json
from mtcli.model_directory.int8_mark import load_int8_mark, write_int8_mark
from mtcli.model_directory.integrity import stored_checksum
from mtcli.model_directory.loading import load_model
from mtcli.model_directory.weights import parameters_of, weights_bytes


def package(model: Path, directory: Path, dtype: torch.dtype, tests: Sequence[dict[str, Any]] = ()) -> None:
    """Write what makes a model of `model` into an empty directory, its weights in another number type.

    Args:
        dtype: of the weights in the file, float32 or float16: half the size, and each weight rounded to 11 bits.
        tests: scores on test sets for the model's card, as `mtcli evaluate --json` prints them.

    Raises:
        CheckpointError: `model` is no whole model, or a weight is too large for the number type.
        ConfigError: there are scores, and no card for them.
        DataError: `directory` cannot be written.
    """
    loaded = load_model(model, torch.device("cpu"))
    provenance = read_json(model, PROVENANCE) if (model / PROVENANCE).exists() else {}
    if tests and (not provenance or "imported" in provenance):
        raise ConfigError(
            f"The model {model} was not trained here, or has lost its {PROVENANCE}: there is no card to put scores "
            "into. Leave --scores out."
        )
    weights = {name: tensor.to(dtype) for name, tensor in parameters_of(loaded.network).items()}
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise CheckpointError(
                f"{model / WEIGHTS}: {name} holds a weight that {str(dtype).removeprefix('torch.')} cannot hold. "
                "Export it with --dtype float32."
            )
    # Rounded weights compute something else than what an imported model is to be compared with.
    reference = stored(model, loaded.architecture.checksums).files() if _has_reference(model, dtype) else {}
    write_description(directory, loaded.architecture, loaded.tokenizers, reference)
    write_atomically(directory / WEIGHTS, weights_bytes(weights))
    if mark := load_int8_mark(model):
        # What float16 rounds away is a sixteenth of int8's step at most, so that it was checked for these, too.
        write_int8_mark(directory, mark.model_copy(update={"weights": stored_checksum(directory / WEIGHTS)}))
    if (model / CALIBRATION_FILE).exists():
        write_atomically(directory / CALIBRATION_FILE, (model / CALIBRATION_FILE).read_text(encoding="utf-8"))
    if "imported" in provenance:
        write_atomically(directory / PROVENANCE, json.dumps(_imported(provenance), indent=2, ensure_ascii=False) + "\n")
        if (model / CARD).exists():
            write_atomically(directory / CARD, (model / CARD).read_text(encoding="utf-8"))
    elif provenance:
        _write_history(model, directory, provenance, tests)


def _has_reference(model: Path, dtype: torch.dtype) -> bool:
    return dtype == torch.float32 and (model / SENTENCES).exists()


def _imported(provenance: dict[str, Any]) -> dict[str, Any]:
    """Of a model from elsewhere: where it lay here is nobody's business, its name at Hugging Face is."""
    origin = provenance["imported"]
    is_name = origin["revision"] is not None
    return {**provenance, "imported": {**origin, "from": origin["from"] if is_name else PurePath(origin["from"]).name}}


def _write_history(model: Path, directory: Path, provenance: dict[str, Any], tests: Sequence[dict[str, Any]]) -> None:
    """provenance.json and README.md of a model that was trained here."""
    try:
        shortened = without_directories(provenance)
        if "weights" in shortened:  # in another number type they have another checksum
            shortened["weights"] = {**shortened["weights"], "blake2b": stored_checksum(directory / WEIGHTS)}
        write_card(directory, {**shortened, "tests": list(tests)} if tests else shortened)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{model / PROVENANCE} is damaged: its facts are not those mtcli train writes ({error!r}). "
            "Delete it to hand the model on without."
        ) from None


def without_directories(provenance: dict[str, Any]) -> dict[str, Any]:
    """What provenance.json records, every path cut down to the file's name, or as little more as tells it apart."""
    files, settings = provenance["data"]["files"], provenance["settings"]
    names = _short_names([path for part in files.values() for path in part])

    def shorten(value: Any) -> Any:
        if isinstance(value, dict):
            return {names.get(key, key): shorten(item) for key, item in value.items()}
        if isinstance(value, list):
            return [shorten(item) for item in value]
        if not isinstance(value, str):
            return value
        option, equals, path = value.rpartition("=")
        return option + equals + names.get(path, PurePath(path).name)

    return {
        **provenance,
        "command": shorten(provenance["command"]),
        "data": {**provenance["data"], "files": shorten(files)},
        "settings": {**settings, "data": shorten(settings["data"]), "training": shorten(settings["training"])},
    }


def _short_names(paths: Sequence[str]) -> dict[str, str]:
    """For each path the fewest of its last parts that no other path ends with."""
    tails: dict[str, str] = {}
    for path in paths:
        parts = PurePath(path).parts
        for length in range(1, len(parts) + 1):
            tails[path] = "/".join(parts[-length:])
            if not any(other != path and PurePath(other).parts[-length:] == parts[-length:] for other in paths):
                break
    return tails
