"""How a batch is divided, and what processes say to one another; several at a time: tests/system/test_together.py."""

import numpy as np
import pytest
import torch

from mtcli.errors import ConfigError
from mtcli.training.launch import launch
from mtcli.training.world import World, world_of_this_process


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 50])
def test_every_sentence_has_weight_one_in_all(size: int, count: int) -> None:
    items = np.arange(100, 100 + count)
    shares = [World(rank, size).share(items) for rank in range(size)]
    assert all(len(own) > 0 for own, _ in shares), "a process must take part"
    counted = [item for own, weight in shares for item in own.tolist() if weight]
    assert sorted(counted) == items.tolist()
    assert {weight for _, weight in shares} <= {0.0, 1.0}


def test_alone_there_is_nobody_to_ask() -> None:
    with world_of_this_process() as world:
        assert (world.rank, world.size, world.is_first) == (0, 1, True)
        assert world.agree(1.5, True) == (1.5, True)
        assert world.gather_lines(["a"]) == [["a"]]
        assert world.sum(torch.tensor([1.0, 2.0])).tolist() == [1.0, 2.0]
        module = torch.nn.Linear(2, 2)
        assert world.joined(module) is module


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"RANK": "0"},
        {"RANK": "one", "LOCAL_RANK": "0"},
        {"RANK": "4", "LOCAL_RANK": "0"},
        {"RANK": "0", "LOCAL_RANK": "-1"},
    ],
)
def test_variables_that_no_launcher_sets_are_explained(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RANK", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"WORLD_SIZE": "4", **variables}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=r"WORLD_SIZE=4 .*--nproc"), world_of_this_process():
        pass


def test_a_world_of_one_is_no_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "1")
    with world_of_this_process() as world:
        assert world.size == 1


def test_processes_do_not_start_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match=r"--nproc 3: .* one of 2.*torchrun"):
        launch(3, ["train"], "cpu")
