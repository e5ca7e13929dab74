"""Entries are written where they belong, and nowhere else."""

import pytest
import torch
from support.decoding_cases import SelfCase, self_case

from mtcli_kernels.self_attention_decode.entries import append, blank_unwritten


def expected_cache(case: SelfCase) -> torch.Tensor:
    """The key cache after this step, entry by entry."""
    cache, beam = case.k_cache.clone(), case.places.beam
    for slot, position in enumerate(case.places.positions.tolist()):
        for place in range(beam if position >= 0 else 0):
            cache[slot, :, position * beam + place] = case.k[slot * beam + place]
    return cache


@pytest.mark.parametrize("positions", [[2, 2], [4, 0, 7], [3, -1, 0], [-1, -1]])
@pytest.mark.parametrize("is_contiguous", [True, False])
def test_each_slot_is_written_at_its_own_position(positions: list[int], is_contiguous: bool) -> None:
    case = self_case(positions, beam=3)
    room = torch.full((len(positions) + 2, 4, 40, 16), 7.0)
    if is_contiguous:
        room = room[:, :2, : case.k_cache.shape[2]].clone()
    cache = room[: len(positions), :2, : case.k_cache.shape[2]].copy_(case.k_cache)
    assert cache.is_contiguous() == is_contiguous
    append(case.k, cache, case.places)
    torch.testing.assert_close(cache, expected_cache(case), rtol=0, atol=0, equal_nan=True)
    assert room[len(positions) :].eq(7.0).all()
    assert room[:, 2:].eq(7.0).all()
    assert room[:, :, case.k_cache.shape[2] :].eq(7.0).all()


def test_two_caches_of_one_step_may_have_room_for_different_steps() -> None:
    case = self_case([4, 1], beam=2)
    append(case.k, case.k_cache, case.places)
    longer = torch.zeros(2, 2, 2 * 20, 16)
    append(case.k, longer, case.places)
    for slot, position in enumerate([4, 1]):
        new = case.k_cache[slot, :, position * 2 : position * 2 + 2]
        assert longer[slot, :, position * 2 : position * 2 + 2].equal(new)
        assert longer[slot].count_nonzero() == new.count_nonzero()


def test_what_is_not_written_yet_is_blanked_in_a_copy() -> None:
    case = self_case([1, -1, 2], beam=2)
    append(case.k, case.k_cache, case.places)
    entries = case.k_cache[:, :, :6]
    blanked = blank_unwritten(entries, case.places)
    assert blanked[0, :, :4].equal(entries[0, :, :4])
    assert blanked[0, :, 4:].eq(0).all()
    assert blanked[1].eq(0).all()
    assert blanked[2].equal(entries[2])
    assert entries[0, :, 4:].isnan().all()
