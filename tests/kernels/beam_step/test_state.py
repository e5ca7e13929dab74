"""The state of a search: how slots are filled, chosen, made longer, and read."""

from dataclasses import replace

import pytest
import torch
from support.beam_cases import (
    START,
    assert_same_hypotheses,
    assert_same_state,
    logits_of,
    middle_of_search,
    rules_for,
    table_model,
    whole_search,
)

from mtcli_kernels.beam_step import BeamState, SlotStatus, beam_step


def test_an_empty_state() -> None:
    state = BeamState.empty(3, 2, 7)
    assert (state.num_slots, state.beam, state.max_steps) == (3, 2, 7)
    assert state.tokens.shape == state.parents.shape == (3, 7, 2)
    assert state.ancestry.shape == (3, 2, 8)
    assert state.status.tolist() == [SlotStatus.EMPTY] * 3
    assert state.positions.tolist() == [-1] * 3
    assert state.all_hypotheses(range(3)) == [[], [], []]


@pytest.mark.parametrize("as_tensor", [False, True])
def test_admission_clears_what_was_there(as_tensor: bool) -> None:
    state = middle_of_search(4, 3, 9, seed=1, device="cpu")
    others = state.select(torch.tensor([0, 2]))
    slots, limits = [3, 1], [9, 4]
    if as_tensor:
        state.admit(torch.tensor(slots), torch.tensor(limits), START)
    else:
        state.admit(slots, limits, START)
    assert_same_state(state.select(torch.tensor([0, 2])), others, close=0.0)
    assert state.status.tolist() == [SlotStatus.LIVE] * 4
    assert state.positions[slots].tolist() == [0, 0]
    assert state.max_tokens[slots].tolist() == limits
    assert state.log_probs[slots].tolist() == [[0.0, float("-inf"), float("-inf")]] * 2
    assert state.last_tokens[slots].tolist() == [[START] * 3] * 2
    assert state.ancestry[slots, :, 0].tolist() == [[0, 1, 2]] * 2
    assert state.all_hypotheses(slots) == [[], []]


def test_there_must_be_room_for_what_is_admitted() -> None:
    state = BeamState.empty(3, 2, 7)
    with pytest.raises(ValueError, match="2 slots cannot take 1 lengths"):
        state.admit([0, 1], [7], START)
    with pytest.raises(ValueError, match="slots must lie between 0 and 2; got 3"):
        state.admit([0, 3], [7, 7], START)
    with pytest.raises(ValueError, match="max_tokens must lie between 1 and 7; got 8"):
        state.admit([0, 1], torch.tensor([8, 7]), START)
    state.admit([], [], START)
    assert state.status.tolist() == [SlotStatus.EMPTY] * 3


def test_select_keeps_order_and_copies() -> None:
    state = middle_of_search(4, 2, 9, seed=2, device="cpu")
    chosen = state.select(torch.tensor([2, 0]))
    assert chosen.num_slots == 2
    for name, tensor in vars(chosen).items():
        assert torch.equal(tensor, getattr(state, name)[[2, 0]]), name
    chosen.positions.fill_(-1)
    assert (state.positions >= 0).all()
    assert state.select(torch.tensor([], dtype=torch.int64)).num_slots == 0


def test_a_search_goes_on_alike_in_a_longer_state() -> None:
    tables = torch.stack([table_model(20, 14, seed) for seed in range(3)])
    rules, limits = rules_for(20, 14), [6, 5, 4]
    expected = whole_search(tables, limits, 3, rules, "reference").all_hypotheses(range(3))
    state = BeamState.empty(3, 3, 6)
    state.admit(range(3), limits, START)
    for step in range(6):
        if step == 2:
            state = state.grow(14)
        beam_step(logits_of(tables, state), state, rules)
    assert (state.status == SlotStatus.DONE).all()
    for ours, theirs in zip(state.all_hypotheses(range(3)), expected, strict=True):
        assert_same_hypotheses(ours, theirs)
    with pytest.raises(ValueError, match="room for 14 steps and cannot shrink to 6"):
        state.grow(6)


def test_growing_in_the_middle_of_a_search_loses_nothing() -> None:
    state = middle_of_search(3, 3, 9, seed=3, device="cpu")
    assert_same_state(state.grow(20), state, close=0.0)
    assert state.grow(20).all_hypotheses(range(3)) == state.all_hypotheses(range(3))


def test_reading_back_follows_the_parents() -> None:
    state = BeamState.empty(2, 2, 5)
    state.tokens[1, :3] = torch.tensor([[10, 20], [11, 21], [12, 22]])
    state.parents[1, :3] = torch.tensor([[0, 0], [1, 0], [0, 1]])
    state.finished_scores[1] = torch.tensor([-0.5, -0.75])
    state.finished_log_probs[1] = torch.tensor([-2.0, -1.5])
    state.finished_steps[1] = torch.tensor([4, 1])
    state.finished_places[1] = torch.tensor([0, 0])
    nothing, [long, short] = state.all_hypotheses([0, 1])
    assert nothing == []
    # Place 0 at step 2 continued place 0 of step 1, which continued place 1 of step 0.
    assert (long.tokens, long.log_prob, long.score) == ([20, 11, 12], -2.0, -0.5)
    assert (short.tokens, short.log_prob, short.score) == ([], -1.5, -0.75)
    assert state.hypotheses(1) == [long, short]


def test_tensors_that_do_not_fit_are_refused() -> None:
    state = BeamState.empty(3, 2, 7)
    with pytest.raises(ValueError, match=r"expected ancestry to be \[3, 2, 8\] of torch.int32 on cpu; got \[3, 2, 7\]"):
        replace(state, ancestry=torch.zeros(3, 2, 7, dtype=torch.int32))
    with pytest.raises(ValueError, match=r"expected last_tokens to be .*torch.int64 on cpu; got .*torch.int32"):
        replace(state, last_tokens=torch.zeros(3, 2, dtype=torch.int32))
    with pytest.raises(ValueError, match="parents must be contiguous"):
        replace(state, parents=torch.zeros(3, 2, 7, dtype=torch.int32).transpose(1, 2))
    with pytest.raises(ValueError, match="beam and max_steps of at least 1; got 0 and 4"):
        BeamState.empty(3, 0, 4)
