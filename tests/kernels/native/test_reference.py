"""The definition of a search step against the one in PyTorch."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtcli_kernels.beam_step import BeamRules, Stop
from mtcli_kernels.beam_step.reference import reference_beam_step
from mtcli_kernels.beam_step.state import BeamState, SlotStatus
from mtcli_native.records import DONE, LIVE
from mtcli_native.reference.search import Rules, Search, rank_tokens, step

VOCABULARY, STEPS, EOS = 12, 6, 2


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 5),
    st.sampled_from(list(Stop)),
    st.integers(0, STEPS),
    st.booleans(),
    st.lists(st.integers(3, VOCABULARY - 1), max_size=9, unique=True),
)
def test_searches_take_the_steps_of_the_other_definition(
    seed: int, beam: int, stop: Stop, min_tokens: int, free_end: bool, banned: list[int]
) -> None:
    shared = {"min_tokens": min_tokens, "n_best": 1 + seed % beam, "free_end": free_end}
    rules_of_other = BeamRules.of(
        vocab_size=VOCABULARY, eos_id=EOS, max_steps=STEPS, length_penalty=0.7, banned=banned, stop=stop, **shared
    )
    norms = rules_of_other.length_norms.numpy()
    rules = Rules(beam=beam, start=1, eos=EOS, length_norms=norms, banned=tuple(banned), stop=int(stop), **shared)
    state = BeamState.empty(1, beam, STEPS)
    state.admit([0], [STEPS], 1)
    search, rng = Search(STEPS), np.random.default_rng(seed)
    while search.status == LIVE:
        logits = rng.standard_normal((beam, VOCABULARY)).astype(np.float32)
        reference_beam_step(torch.from_numpy(logits), state, rules_of_other)
        step(search, [rank_tokens(row, rules) for row in logits[: len(search.living)]], rules)
        live = state.status[0] == SlotStatus.LIVE
        assert bool(live) == (search.status == LIVE)
        if live:
            count = len(search.living)
            assert state.last_tokens[0, :count].tolist() == [each.tokens[-1] for each in search.living]
            assert np.allclose(state.log_probs[0, :count], [each.log_prob for each in search.living], atol=1e-5)
            assert (state.log_probs[0, count:] == -np.inf).all()
    assert search.status == DONE
    scores = [each.score for each in search.finished]
    assert np.allclose(state.finished_scores[0, : len(scores)], scores, atol=1e-5)
