"""How a batch is divided, and what processes say to one another; several at a time: tests/system/test_together.py."""

import numpy as np
import pytest
import torch

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
