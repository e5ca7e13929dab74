"""Models that are found by what they translate: the one in the box, and those in the user's folder of models.

That folder is `$XDG_DATA_HOME/mtcli/models`, `~/.local/share/mtcli/models` by default; `MTCLI_MODELS` names others,
between the system's separators of paths. Where two models translate the same, the user's comes first.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mtcli.errors import CheckpointError, UsageError
from mtcli.model_directory.box import IN_THE_BOX
from mtcli.model_directory.card import direction_of
from mtcli.model_directory.files import DESCRIPTION

VARIABLE = "MTCLI_MODELS"


@dataclass(frozen=True)
class Installed:
    """Hold where a model is and what it translates.

    Attributes:
        directory: of the model.
        source, target: codes of its languages; empty where it does not say them.
    """

    directory: Path
    source: str
    target: str

    @property
    def is_in_box(self) -> bool:
        """Whether it came with mtcli."""
        return self.directory == IN_THE_BOX

    @property
    def name(self) -> str:
        """Such as `en-de`; its folder's name where it does not say its languages."""
        return f"{self.source}-{self.target}" if self.source else self.directory.name


def folders() -> list[Path]:
    """The user's folders of models, which need not exist; the first is where models are installed."""
    if given := os.environ.get(VARIABLE):
        return [Path(name).expanduser() for name in given.split(os.pathsep) if name]
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return [Path(data) / "mtcli" / "models"]


def installed() -> list[Installed]:
    """All models that can be found, the user's first."""
    return [*_in_folders(), *_of(IN_THE_BOX)]


def _in_folders() -> Iterator[Installed]:
    for folder in folders():
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                if (path / DESCRIPTION).is_file():
                    yield from _of(path)


def _of(directory: Path) -> list[Installed]:
    try:
        source, target = direction_of(directory) or ("", "")
    except CheckpointError:  # its card is damaged, which nothing but finding it needs
        source = target = ""
    return [Installed(directory, source, target)]


def find(source: str | None, target: str | None) -> Installed:
    """Find a model by what it reads, what it writes, or both.

    Raises:
        UsageError: there is none; lists those there are.
    """
    models = [model for model in installed() if model.source]
    for is_same in (_is_same, _is_same_language):
        for model in models:
            if is_same(source, model.source) and is_same(target, model.target):
                return model
    wanted = f"{source or 'any language'} to {target or 'any language'}"
    known = ", ".join(dict.fromkeys(model.name for model in models))
    raise UsageError(
        f"No model translates {wanted}; there are {known}. Give one with -m, or put it into {folders()[0]} "
        "(mtcli import --install does)."
    )


def _is_same(wanted: str | None, code: str) -> bool:
    return wanted is None or wanted.lower() == code.lower()


def _is_same_language(wanted: str | None, code: str) -> bool:
    return wanted is None or wanted.lower().partition("-")[0] == code.lower().partition("-")[0]
