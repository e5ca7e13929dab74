"""What a model's checks go by: the languages that its card names, and what its directory says is usual."""

from contextlib import suppress

from mtcli.checking import CheckSettings
from mtcli.checking.calibration import CALIBRATION_FILE, read_calibration
from mtcli.checking.checker import LanguagePair
from mtcli.decoding.repair.faults import Faults
from mtcli.errors import CheckpointError
from mtcli.model_directory.card import direction_of
from mtcli.model_directory.model import Model


def languages_of(model: Model) -> LanguagePair:
    """The codes of what a model reads and writes, as far as it says."""
    if model.directory is not None:
        with suppress(CheckpointError):  # a damaged card, which translating does not need
            return direction_of(model.directory) or (None, None)
    return None, None


def faults_of(model: Model, *, all_checks: bool = False) -> Faults:
    """Prepare to find faults of a model's translations.

    Raises:
        DataError: what its directory says is usual is damaged.
    """
    settings = CheckSettings()
    if model.directory is not None and (model.directory / CALIBRATION_FILE).exists():
        settings = read_calibration(model.directory).applied_to(settings)
    return Faults(languages_of(model), settings, all_checks=all_checks)
