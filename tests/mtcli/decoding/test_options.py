"""Options of a translation: checked where they are built, laid over a model's defaults."""

from typing import Any

import pytest

from mtcli.config import DecodingConfig
from mtcli.decoding.options import TranslateOptions
from mtcli.errors import ConfigError, UsageError

DEFAULTS = DecodingConfig(beam_size=2, length_penalty=0.5, max_length_extra=7)


def test_what_is_not_given_is_the_models_default() -> None:
    assert TranslateOptions().resolve(DEFAULTS) == DEFAULTS


def test_an_option_wins_over_a_setting_and_a_setting_over_the_default() -> None:
    options = TranslateOptions(beam_size=5, settings={"beam_size": 3, "length_penalty": 0.0})
    resolved = options.resolve(DEFAULTS)
    assert (resolved.beam_size, resolved.length_penalty, resolved.max_length_extra) == (5, 0.0, 7)


@pytest.mark.parametrize(
    ("options", "error", "gist"),
    [
        ({"n_best": 0}, UsageError, "--n-best 0: expected 1 or more"),
        ({"n_best": 3, "beam_size": 2}, UsageError, "--n-best 3 needs a beam of at least 3; --beam-size is 2"),
        ({"beam_size": 0}, ConfigError, "beam_size"),
        ({"length_penalty": -1.0}, ConfigError, "length_penalty"),
        ({"settings": {"beams": 3}}, ConfigError, "no setting decoding.beams"),
        ({"settings": {"stop": "never"}}, ConfigError, "decoding.stop"),
    ],
)
def test_a_value_that_cannot_be_is_refused_at_once(options: dict[str, Any], error: type[Exception], gist: str) -> None:
    with pytest.raises(error, match=gist):
        TranslateOptions(**options)


def test_more_translations_than_the_models_beam_are_refused_when_it_is_known() -> None:
    with pytest.raises(UsageError, match="--n-best 3 needs a beam of at least 3; --beam-size is 2"):
        TranslateOptions(n_best=3).resolve(DEFAULTS)
