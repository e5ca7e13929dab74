"""A run goes on under the settings that it began with."""

from pathlib import Path

import pytest

from mtcli.config import Config
from mtcli.errors import ConfigError
from mtcli.training.run import _refuse_changes

RUN = Path("run")


def settings() -> dict[str, dict[str, object]]:
    return {**Config().model_dump(mode="json"), "data": {**Config().model_dump(mode="json")["data"], "weights": [1.0]}}


def test_the_same_settings_go_on() -> None:
    _refuse_changes(settings(), settings(), RUN)


def test_another_value_is_refused_with_both() -> None:
    new = settings()
    new["model"]["dropout"] = 0.25
    with pytest.raises(ConfigError, match=r"began with model\.dropout = 0\.1; now it is 0\.25"):
        _refuse_changes(settings(), new, RUN)


@pytest.mark.parametrize(("section", "key"), [("training", "r_drop"), ("data", "sampling"), ("data", "weights")])
def test_a_run_from_before_a_setting_goes_on_with_its_default_alone(section: str, key: str) -> None:
    old, new = settings(), settings()
    del old[section][key]
    _refuse_changes(old, new, RUN)
    new[section][key] = [2.0] if key == "weights" else 0.5
    with pytest.raises(ConfigError, match=f"{section}.{key}"):
        _refuse_changes(old, new, RUN)


def test_a_setting_that_is_recorded_only_where_it_is_unusual_is_compared_too() -> None:
    unusual = settings()
    unusual["model"]["scale_embeddings"] = False
    assert "scale_embeddings" not in settings()["model"]
    for old, new in ((unusual, settings()), (settings(), unusual)):
        with pytest.raises(ConfigError, match=r"model\.scale_embeddings"):
            _refuse_changes(old, new, RUN)
