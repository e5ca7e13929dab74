"""Where decoding finds its keys: the masks of slots and hypotheses."""

import pytest
import torch

from mtcli_kernels.decoding_layout import BeamPlaces, SourceRegions
from mtcli_kernels.dense import masked_score


def int32(values: list[int]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.int32)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_rows_behind_a_slots_own_are_masked(dtype: torch.dtype) -> None:
    regions = SourceRegions(None, int32([2, 0, 3]), 4)
    masked = masked_score(dtype)
    expected = [[0, 0, masked, masked], [masked] * 4, [0, 0, 0, masked]]
    assert regions.bias(dtype).tolist() == torch.tensor(expected, dtype=dtype).tolist()
    assert regions.bias(dtype) is regions.bias(dtype)


@pytest.mark.parametrize(("lengths", "expected"), [([2, 1], False), ([2, 0], True)])
def test_empty_sources_are_found_on_a_cpu(lengths: list[int], expected: bool) -> None:
    assert SourceRegions(None, int32(lengths), 2).may_have_empty_slots is expected
    assert (
        BeamPlaces(torch.zeros(2, 1, 3), int32([length - 1 for length in lengths]), 1).may_have_empty_slots is expected
    )


@pytest.mark.parametrize("steps", [3, 9])
def test_a_hypothesis_sees_its_own_entries(steps: int) -> None:
    """Whatever stands in the ancestry behind a slot's position, and however far the ancestry goes."""
    ancestry = torch.zeros(3, 2, steps, dtype=torch.int32)  # behind the position all seem to belong to place 0
    ancestry[0, :, :3] = torch.tensor([[1, 0, 0], [1, 1, 1]])
    ancestry[1, :, :1] = torch.tensor([[0], [1]])
    places = BeamPlaces(ancestry, int32([2, 0, -1]), 2)
    own = {(0, 0): {1, 2, 4}, (0, 1): {1, 3, 5}, (1, 0): {0}, (1, 1): {1}, (2, 0): set(), (2, 1): set()}
    bias = places.bias(torch.float32)
    for (slot, place), entries in own.items():
        assert set(bias[slot, place].eq(0).nonzero().flatten().tolist()) == entries
    assert bias[bias.ne(0)].eq(masked_score(torch.float32)).all()

    seen = places.living_bias(torch.float32, 3).unflatten(0, (3, 3))[:, 1].eq(0)  # [S, K, W]
    for (slot, place), entries in own.items():
        assert set(places.living[slot][seen[slot, place]].tolist()) == entries
    assert places.living[0].tolist() == [1, 2, 3, 4, 5]
    rows = places.living_rows(2, 20).view(3, 2, -1)
    assert rows[2, 1].equal(places.living[2] + 5 * 20)


def test_new_entries_of_flat_caches() -> None:
    places = BeamPlaces(torch.zeros(3, 2, 9, dtype=torch.int32), int32([2, -1, 8]), 8)
    assert places.slots.tolist() == [0, 1, 2]
    assert places.steps.tolist() == [2, 0, 8]
    assert places.flat_steps(2, 10).tolist() == [2, 12, 20, 30, 48, 58]
    assert places.flat_steps(1, 9).tolist() == [2, 9, 26]
    assert places.flat_steps(2, 10).tolist() == [2, 12, 20, 30, 48, 58]
