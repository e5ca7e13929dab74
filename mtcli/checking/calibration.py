"""What is usual in good translations of one direction, measured once and kept as JSON, in a model's directory say.

Checks that count on what is usual take it from there: how long translations are, whether they end as their source does,
and how probable a model finds its own.
"""

import json
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mtcli.checking.lengths import LengthStatistics
from mtcli.checking.pairs import TranslatedLine
from mtcli.checking.punctuation import ends_alike
from mtcli.checking.settings import CheckSettings
from mtcli.errors import DataError
from mtcli.files import file_error

CALIBRATION_FILE = "checking.json"
_MOST_CHANGED_ENDS = 0.005
_IMPROBABLE = 0.005  # of good translations lie below the threshold of `low-score`
_FEWEST_SCORES = 200


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Hold what is usual.

    Attributes:
        lengths: of translations.
        full_stops: whether a line ends with a full stop where its source does, but for one in two hundred.
        min_mean_log_prob: natural logarithm of the probability of a token, on average, that all but one in two hundred
            translations reach; None where no model scored them.
    """

    lengths: LengthStatistics
    full_stops: bool
    min_mean_log_prob: float | None = None

    def applied_to(self, settings: CheckSettings) -> CheckSettings:
        """The settings with these limits in the place of the general ones."""
        least = settings.min_mean_log_prob if self.min_mean_log_prob is None else self.min_mean_log_prob
        return replace(settings, lengths=self.lengths, full_stops=self.full_stops, min_mean_log_prob=least)

    def to_json(self) -> Mapping[str, Any]:
        """What is stored."""
        return {
            "lengths": self.lengths.to_json(),
            "full_stops": self.full_stops,
            "min_mean_log_prob": self.min_mean_log_prob,
        }


def measure(lines: Iterable[TranslatedLine]) -> Calibration:
    """Measure it on good translations, which are read once.

    Raises:
        ValueError: there are fewer than 100 pairs with text on both sides.
    """
    counts = {"lines": 0, "changed": 0}
    means = array("d")

    def watched() -> Iterable[tuple[str, str]]:
        for line in lines:
            counts["lines"] += 1
            counts["changed"] += not ends_alike(line.source, line.target)
            if line.log_prob is not None and line.num_tokens:
                means.append(line.log_prob / line.num_tokens)
            yield line.source, line.target

    lengths = LengthStatistics.measure(watched())
    least = None
    if len(means) >= _FEWEST_SCORES:
        least = round(sorted(means)[int(_IMPROBABLE * len(means))], 4)
    full_stops = counts["changed"] <= _MOST_CHANGED_ENDS * counts["lines"]
    return Calibration(lengths=lengths, full_stops=full_stops, min_mean_log_prob=least)


def read_calibration(path: Path) -> Calibration:
    """Read what was measured; of a directory, its `checking.json`.

    Raises:
        DataError: the file is missing, unreadable or something else.
    """
    path = path / CALIBRATION_FILE if path.is_dir() else path
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise file_error(path, error, "read") from error
    except ValueError as error:
        raise _no_calibration(path, f"it is no JSON ({error})") from None
    try:
        lengths = LengthStatistics.from_json(content["lengths"])
        full_stops, least = bool(content["full_stops"]), content["min_mean_log_prob"]
        return Calibration(
            lengths=lengths, full_stops=full_stops, min_mean_log_prob=None if least is None else float(least)
        )
    except (KeyError, TypeError) as error:
        raise _no_calibration(path, f"it lacks {error}") from None
    except ValueError as error:
        raise _no_calibration(path, str(error)) from None


def _no_calibration(path: Path, why: str) -> DataError:
    return DataError(
        f"{path} does not say what is usual in translations: {why}. Write it anew with mtcli check --calibrate {path}."
    )
