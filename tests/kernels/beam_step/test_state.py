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
    random_logits,
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


def test_moving_copies_whole_slots() -> None:
    state = middle_of_search(5, 2, 9, seed=4, device="cpu")
    state.status[4], state.positions[4] = int(SlotStatus.DONE), -1
    expected = state.select(torch.tensor([4, 1, 2, 1, 4]))
    state.move(torch.tensor([4, 1]), torch.tensor([0, 3]))
    for name, tensor in vars(state).items():
        assert torch.equal(tensor, getattr(expected, name)), name
    state.move(*torch.empty(2, 0, dtype=torch.int64))
    assert_same_state(state, expected, close=0.0)


def test_what_is_moved_goes_on_alike() -> None:
    tables = torch.stack([table_model(20, 9, seed) for seed in range(3)])
    rules = rules_for(20, 9)
    expected = whole_search(tables, [9] * 3, 3, rules, "padded").hypotheses(2)
    state = BeamState.empty(3, 3, 9)
    state.admit([2], [9], START)
    for step in range(9):
        if step == 2:
            state.move(torch.tensor([2]), torch.tensor([0]))
            state.release([2])
            tables = tables[[2, 1, 0]]
        beam_step(logits_of(tables, state), state, rules)
    assert state.hypotheses(0) == expected


def test_only_slots_that_there_are_and_that_do_not_overlap_are_moved() -> None:
    state = middle_of_search(4, 2, 9, seed=5, device="cpu")
    before = state.select(torch.arange(4))
    for sources, targets, message in (
        ([0, 1], [2], r"as many sources as targets, \[n\] each; got \[2\] and \[1\]"),
        ([0, 4], [2, 3], "sources must lie between 0 and 3; got 4"),
        ([0, 1], [2, -1], "targets must lie between 0 and 3; got -1"),
        ([0, 1], [2, 2], r"come once; got sources \[0, 1\] and targets \[2, 2\]"),
        ([0, 1], [1, 2], r"must be no source.*sources \[0, 1\] and targets \[1, 2\]"),
    ):
        with pytest.raises(ValueError, match=message):
            state.move(torch.tensor(sources), torch.tensor(targets))
    for name, tensor in vars(state).items():
        assert torch.equal(tensor, getattr(before, name)), name


@pytest.mark.parametrize("num_slots", [0, 1, 3, 4])
def test_a_step_of_the_first_slots_leaves_the_others(num_slots: int) -> None:
    state = middle_of_search(4, 2, 9, seed=6, device="cpu")
    before, logits, rules = state.select(torch.arange(4)), random_logits(8, 30, seed=7), rules_for(30, 9)
    first = state.first(num_slots)
    assert first.num_slots == num_slots
    beam_step(logits[: 2 * num_slots], first, rules)
    expected = before.select(torch.arange(4))
    beam_step(logits, expected, rules)
    here, there = torch.arange(num_slots), torch.arange(num_slots, 4)
    assert_same_state(state.select(here), expected.select(here))
    assert_same_state(state.select(there), before.select(there), close=0.0)


def test_there_are_no_more_first_slots_than_slots() -> None:
    with pytest.raises(ValueError, match="the state has 3 slots, and the first 4 were asked for"):
        BeamState.empty(3, 2, 7).first(4)


@pytest.mark.parametrize("as_tensor", [False, True])
def test_a_released_slot_is_empty(as_tensor: bool) -> None:
    state = middle_of_search(4, 2, 9, seed=8, device="cpu")
    others = state.select(torch.tensor([0, 2]))
    state.release(torch.tensor([3, 1]) if as_tensor else [3, 1])
    assert state.status.tolist() == [SlotStatus.LIVE, SlotStatus.EMPTY] * 2
    assert state.positions[[1, 3]].tolist() == [-1, -1]
    assert_same_state(state.select(torch.tensor([0, 2])), others, close=0.0)
    with pytest.raises(ValueError, match="slots must lie between 0 and 3; got 4"):
        state.release([4])


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
    with pytest.raises(ValueError, match="room for 14 steps and cannot shrink to 3 and 6"):
        state.grow(6)


def test_growing_in_the_middle_of_a_search_loses_nothing() -> None:
    state = middle_of_search(3, 3, 9, seed=3, device="cpu")
    assert_same_state(state.grow(20), state, close=0.0)
    assert state.grow(20).all_hypotheses(range(3)) == state.all_hypotheses(range(3))


def test_growing_by_slots_leaves_them_empty_and_the_others_as_they_were() -> None:
    state = middle_of_search(3, 3, 9, seed=3, device="cpu")
    grown = state.grow(9, 5)
    assert (grown.num_slots, grown.max_steps) == (5, 9)
    here = torch.arange(3)
    for name, tensor in vars(grown.select(here)).items():
        assert torch.equal(tensor, getattr(state, name)), name
    for name, tensor in vars(grown.select(torch.tensor([3, 4]))).items():
        assert torch.equal(tensor, getattr(BeamState.empty(2, 3, 9), name)), name
    both = state.grow(20, 5)
    assert both.ancestry.shape == (5, 3, 21)
    assert_same_state(both.select(here), state, close=0.0)
    assert both.all_hypotheses(range(5)) == [*state.all_hypotheses(range(3)), [], []]
    grown.positions.fill_(-1)
    assert (state.positions >= 0).all()
    with pytest.raises(ValueError, match="the state has 5 slots and room for 9 steps and cannot shrink to 4 and 9"):
        grown.grow(9, 4)


def test_a_search_goes_on_alike_among_more_slots() -> None:
    tables = torch.stack([table_model(20, 9, seed) for seed in range(4)])
    rules = rules_for(20, 9)
    expected = whole_search(tables, [9] * 4, 3, rules, "padded").all_hypotheses(range(4))
    state = BeamState.empty(2, 3, 9)
    state.admit([0, 1], [9, 9], START)
    for step in range(9 + 2):
        if step == 2:
            state = state.grow(9, 4)
            state.admit([2, 3], [9, 9], START)
        beam_step(logits_of(tables[: state.num_slots], state), state, rules)
    assert state.all_hypotheses(range(4)) == expected


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
