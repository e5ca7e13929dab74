"""A model's files: in a directory here, or fetched from Hugging Face by their name."""

import re
from dataclasses import dataclass
from pathlib import Path

from mtcli.errors import BackendUnavailableError, CheckpointError

_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_FILES = ["*.json", "*.spm", "model.safetensors"]
_NO_PACKAGE = "needs the package huggingface_hub: pip install 'mtcli-nmt[hub]'"


@dataclass(frozen=True)
class Original:
    """Where a model comes from.

    Attributes:
        directory: its files.
        name: as it was asked for.
        revision: what it was fetched at; None for a directory.
    """

    directory: Path
    name: str
    revision: str | None = None


def find(name: str, revision: str | None = None, *, show_progress: bool = False) -> Original:
    """The directory of that name, else the repository on Hugging Face.

    Raises:
        CheckpointError: there is neither, or it cannot be reached.
        BackendUnavailableError: huggingface_hub is not installed.
    """
    path = Path(name)
    if path.is_dir():
        return Original(path, name)
    if path.exists():
        raise CheckpointError(f"{name} is a file. Expected a Marian model's directory, or its name on Hugging Face.")
    if not _NAME.fullmatch(name):
        raise CheckpointError(
            f"The model {name} does not exist. Expected the directory of a Marian model, or its name on Hugging Face, "
            "such as Helsinki-NLP/opus-mt-en-de."
        )
    return _fetch(name, revision, show_progress)


def _fetch(name: str, revision: str | None, show_progress: bool) -> Original:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
        from huggingface_hub.utils import disable_progress_bars
    except ImportError:
        raise BackendUnavailableError(
            f"There is no directory {name}. To fetch the model of that name from Hugging Face {_NO_PACKAGE}."
        ) from None
    if not show_progress:
        disable_progress_bars()
    try:
        directory = snapshot_download(name, revision=revision, allow_patterns=_FILES)
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["no more is known"])[0]
        at = f" at revision {revision}" if revision else ""
        raise CheckpointError(
            f"There is no directory {name}, and no model of that name{at} could be fetched from Hugging Face: {reason} "
            "Check the name and the network; without a network, give the directory of a copy."
        ) from None
    return Original(Path(directory), name, Path(directory).name)
