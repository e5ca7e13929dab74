"""What a model's checks go by: the languages that its card names, and what its directory says is usual."""

from contextlib import suppress

from mtcli.checking import CheckSettings
from mtcli.checking.calibration import CALIBRATION_FILE, read_calibration
from mtcli.checking.checker import LanguagePair
from mtcli.decoding.repair.faults import Faults
from mtcli.errors import CheckpointError
from mtcli.model_directory.card import direction_of
from mtcli.model_directory.model import Model


def faults_of(model: Model, *, all_checks: bool = False) -> Faults:
    """Prepare to find faults of a model's translations.

    Raises:
        DataError: what its directory says is usual is damaged.
    """
    pair: LanguagePair = (None, None)
    settings = CheckSettings()
    if model.directory is not None:
        with suppress(CheckpointError):  # a damaged card, which translating does not need
            pair = direction_of(model.directory) or pair
        if (model.directory / CALIBRATION_FILE).exists():
            settings = read_calibration(model.directory).applied_to(settings)
    return Faults(pair, settings, all_checks=all_checks)
