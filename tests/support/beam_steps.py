"""Steps of beam search that hypothesis makes up, compared with the definition."""

import torch
from hypothesis import strategies as st
from support.beam_cases import assert_same_steps, place_finished, place_live, rules_for

from mtcli_kernels.beam_step import BeamState, Stop


def check_any_step(data: st.DataObject, impl: str, device: torch.device | str = "cpu") -> None:
    """Few different logits, so that equals abound; the rows of a slot are equal where its log-probabilities may be."""
    beam, vocab_size = data.draw(st.integers(1, 6), "beam"), data.draw(st.integers(1, 150), "vocabulary")
    state = BeamState.empty(2, beam, 9, device)
    for slot in range(data.draw(st.integers(0, 2), "live slots")):
        position = data.draw(st.integers(0, 7), "position")
        log_probs = data.draw(st.lists(st.sampled_from([-1.0, -2.5, float("-inf")]), min_size=beam, max_size=beam))
        place_live(state, slot, log_probs, position, data.draw(st.integers(position + 1, 9), "limit"))
        finished = data.draw(st.lists(st.sampled_from([-0.3, -0.6, -1.1, -2.0]), max_size=beam - 1), "finished")
        place_finished(state, slot, sorted(finished, reverse=True))
    levels = data.draw(st.integers(1, 6), "levels")
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 2**16), "seed"))
    row = torch.randint(-levels, levels, (1, vocab_size), generator=generator) / 2
    banned = data.draw(st.sets(st.integers(0, vocab_size - 1), max_size=5), "banned")
    eos_id = data.draw(st.integers(0, vocab_size - 1), "eos")
    min_tokens = data.draw(st.integers(0, 3), "minimum")
    n_best = data.draw(st.integers(1, beam), "n_best")
    rules = rules_for(
        vocab_size,
        9,
        banned=sorted(banned),
        eos_id=eos_id,
        min_tokens=min_tokens,
        n_best=n_best,
        stop=data.draw(st.sampled_from(Stop), "stop"),
        free_end=data.draw(st.booleans(), "free end"),
        device=device,
    )
    assert_same_steps(row.repeat(2 * beam, 1).to(device), state, rules, impl)
