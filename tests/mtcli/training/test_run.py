"""A run goes on under the settings that it began with."""

from pathlib import Path

import pytest
import torch

from mtcli.config import Config
from mtcli.errors import CheckpointError, ConfigError
from mtcli.training import run as training_run
from mtcli.training.run import _device, _refuse_changes, _refuse_unlike
from mtcli.training.world import World

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


@pytest.mark.parametrize(
    ("asked", "local_rank", "expected"),
    [("cuda", None, 0), ("cuda:3", None, 3), ("cuda", 2, 2), ("cuda:3", 2, 2), ("cpu", None, None)],
)
def test_a_gpu_has_its_number(
    asked: str, local_rank: int | None, expected: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch makes no device current that has none."""
    made_current: list[int | None] = []
    monkeypatch.setattr(training_run, "resolve_device", torch.device)
    monkeypatch.setattr(training_run, "is_launched", lambda: local_rank is not None)
    monkeypatch.setattr(training_run, "launched_as", lambda: (5, 8, local_rank))
    monkeypatch.setattr("torch.cuda.current_device", lambda: 0)
    monkeypatch.setattr("torch.cuda.set_device", lambda device: made_current.append(device.index))
    assert _device(asked).index == expected
    assert made_current == ([] if expected is None else [expected])


def test_processes_that_see_different_things_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def gather(world: World, lines: list[str]) -> list[list[str]]:
        return [lines, ["step 5 of corpus other"]]

    _refuse_unlike(World(), "key", 5, RUN)
    monkeypatch.setattr(World, "gather_lines", gather)
    with pytest.raises(CheckpointError, match="step 5 of corpus key, step 5 of corpus other"):
        _refuse_unlike(World(), "key", 5, RUN)
    _refuse_unlike(World(), "other", 5, RUN)
