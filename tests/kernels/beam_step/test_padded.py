"""The vectorised search step against the definition, on a CPU."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.beam_cases import (
    assert_same_hypotheses,
    assert_same_steps,
    logits_of,
    middle_of_search,
    random_logits,
    rules_for,
    table_model,
    undecided_slots,
    whole_search,
)
from support.beam_steps import check_any_step

from mtcli_kernels.beam_step import BeamState, FinishedHypothesis, beam_step


@pytest.mark.parametrize("vocab_size", [3, 7, 63, 64, 65, 128, 1000, 8191])
@pytest.mark.parametrize("beam", [1, 2, 4, 5, 8, 17])
def test_a_step_is_that_of_the_definition(vocab_size: int, beam: int) -> None:
    state = middle_of_search(5, beam, 12, seed=20 + beam, device="cpu")
    logits = random_logits(5 * beam, vocab_size, seed=vocab_size)
    assert not undecided_slots(logits, state)
    assert_same_steps(logits, state, rules_for(vocab_size, 12), "padded")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_number_types(dtype: torch.dtype) -> None:
    state = middle_of_search(6, 4, 12, seed=1, device="cpu")
    logits = random_logits(24, 3000, seed=2).to(dtype)  # with many equal logits in 16 bits
    undecided = undecided_slots(logits, state)
    assert len(undecided) <= 1
    assert_same_steps(logits, state, rules_for(3000, 12), "padded", exempt=undecided)


def test_strides() -> None:
    state, rules = middle_of_search(3, 2, 12, seed=3, device="cpu"), rules_for(200, 12)
    assert_same_steps(random_logits(12, 250, 4)[::2, 20:220], state, rules, "padded")
    assert_same_steps(random_logits(200, 6, 5).t(), state, rules, "padded")


def test_more_rows_than_are_taken_at_a_time() -> None:
    state = middle_of_search(40, 4, 12, seed=6, device="cpu")
    logits = random_logits(160, 8200, seed=7)
    assert_same_steps(logits, state, rules_for(8200, 12), "padded", exempt=undecided_slots(logits, state))


@pytest.mark.parametrize("beam", [1, 2, 3])
@pytest.mark.parametrize("vocab_size", [1, 2, 3])
def test_vocabularies_smaller_than_the_candidates(beam: int, vocab_size: int) -> None:
    rules = rules_for(vocab_size, 6, banned=(), eos_id=vocab_size - 1)
    state = BeamState.empty(2, beam, 6)
    state.admit([0, 1], [6, 2], 0)
    for step in range(6):
        state = assert_same_steps(random_logits(2 * beam, vocab_size, step), state, rules, "padded")
    assert (state.positions == -1).all()


@pytest.mark.parametrize(("beam", "n_best"), [(1, 1), (3, 1), (3, 3), (5, 2)])
def test_each_step_of_whole_searches(beam: int, n_best: int) -> None:
    tables = torch.stack([table_model(25, 15, seed) for seed in range(4)])
    rules, limits = rules_for(25, 15, min_tokens=2, n_best=n_best), [15, 15, 5, 9]
    steps = []

    def compare(state: BeamState, logits: torch.Tensor) -> None:
        steps.append(assert_same_steps(logits, state, rules, "padded"))

    expected = whole_search(tables, limits, beam, rules, "reference", compare)
    assert len(steps) > 4
    ours = whole_search(tables, limits, beam, rules, "padded")
    for a, b in zip(ours.all_hypotheses(range(4)), expected.all_hypotheses(range(4)), strict=True):
        assert_same_hypotheses(a, b)


def test_a_row_is_rounded_alike_alone_and_among_others() -> None:
    tables = torch.stack([table_model(333, 5, seed) for seed in range(8)])
    rules, beams = rules_for(333, 5), 3
    states = BeamState.empty(8, beams, 5)
    states.admit(range(8), [5] * 8, 1)
    for _ in range(3):
        logits = logits_of(tables, states)
        alone = [states.select(torch.tensor([slot])) for slot in range(8)]
        beam_step(logits, states, rules, impl="padded")
        for slot, single in enumerate(alone):
            beam_step(logits[beams * slot : beams * (slot + 1)], single, rules, impl="padded")
            assert torch.equal(single.log_probs[0], states.log_probs[slot])


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_step_is_that_of_the_definition(data: st.DataObject) -> None:
    check_any_step(data, "padded")


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_search_that_stops_early_misses_nothing_of_the_n_best(data: st.DataObject) -> None:
    """To the bit, also with few different logits, where bounds and scores are often equal."""
    beam, seed = data.draw(st.integers(2, 6), "beam"), data.draw(st.integers(0, 2**16), "seed")
    n_best, limit = data.draw(st.integers(1, beam - 1), "n_best"), data.draw(st.integers(2, 10), "limit")
    length_penalty = data.draw(st.sampled_from([0.0, 0.3, 0.6, 1.0, 2.0]), "penalty")
    tables = torch.stack([table_model(9, limit, seed + i, end_bias=i) for i in range(3)])
    if data.draw(st.booleans(), "few different logits"):
        tables = tables.round()

    def results(n_best: int) -> list[list[FinishedHypothesis]]:
        rules = rules_for(9, limit, length_penalty=length_penalty, n_best=n_best)
        return whole_search(tables, [limit] * 3, beam, rules, "padded").all_hypotheses(range(3))

    for early, late in zip(results(n_best), results(beam), strict=True):
        assert early[:n_best] == late[:n_best]
