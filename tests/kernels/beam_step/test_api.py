"""What the search step refuses, and which form it chooses."""

import subprocess
import sys

import pytest
import torch
from support.beam_cases import assert_same_state, copy_of, middle_of_search, random_logits, rules_for

from mtcli_kernels.beam_step import BeamRules, BeamState, FinishedHypothesis, SlotStatus, beam_step, choice
from mtcli_kernels.dispatch import UnavailableError

CPU = torch.device("cpu")


def test_a_cpu_takes_the_vectorised_form() -> None:
    for beam in (1, 40):
        assert choice("auto", CPU, torch.float32, beam).impl == "padded"
    state = middle_of_search(2, 2, 9, seed=1, device="cpu")
    logits, rules = random_logits(4, 30, 1), rules_for(30, 9)
    padded = copy_of(state)
    beam_step(logits, padded, rules, impl="padded")
    beam_step(logits, state, rules)
    assert_same_state(state, padded, close=0.0)


def test_what_is_named_and_cannot_run_is_an_error() -> None:
    with pytest.raises(UnavailableError, match=r"beam_step cannot run as 'triton': .*on the CPU"):
        choice("triton", CPU, torch.float32, 4)
    with pytest.raises(UnavailableError, match="float64"):
        choice("triton", CPU, torch.float64, 4)
    with pytest.raises(ValueError, match="impl = 'sdpa' is not one of beam_step's: auto, triton, padded, reference"):
        choice("sdpa", CPU, torch.float32, 4)


def test_the_kernels_hold_beams_of_16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    pytest.importorskip("triton")
    assert choice("triton", CPU, torch.float32, 16).impl == "triton"
    with pytest.raises(UnavailableError, match="up to 16 hypotheses of a sentence; the beam has 17"):
        choice("triton", CPU, torch.float32, 17)


def test_logits_of_another_shape_are_refused() -> None:
    state, rules = BeamState.empty(2, 3, 5), rules_for(10, 5)
    with pytest.raises(ValueError, match=r"expected logits \[S \* K, V\] = \[6, 10\], floating point; got \[6, 11\]"):
        beam_step(torch.zeros(6, 11), state, rules)
    with pytest.raises(ValueError, match=r"got \[5, 10\] of torch.float32"):
        beam_step(torch.zeros(5, 10), state, rules)
    with pytest.raises(ValueError, match=r"got \[6, 10\] of torch.int64"):
        beam_step(torch.zeros(6, 10, dtype=torch.int64), state, rules)


def test_rules_for_fewer_steps_than_the_state_has_are_refused() -> None:
    with pytest.raises(ValueError, match="length_norms end at 4 tokens; the state has room for 5"):
        beam_step(torch.zeros(6, 10), BeamState.empty(2, 3, 5), rules_for(10, 4))


def test_more_hypotheses_than_the_beam_finds_are_refused() -> None:
    state = BeamState.empty(2, 3, 5)
    with pytest.raises(ValueError, match="n_best = 4 hypotheses are asked for and the beam finds up to 3"):
        beam_step(torch.zeros(6, 10), state, rules_for(10, 5, n_best=4))
    beam_step(torch.zeros(6, 10), state, rules_for(10, 5, n_best=3))


def test_tensors_on_several_devices_are_refused() -> None:
    state = BeamState.empty(2, 3, 5, device="meta")
    with pytest.raises(ValueError, match="must be on one device; got cpu, meta"):
        beam_step(torch.zeros(6, 10), state, rules_for(10, 5))


def test_rules_are_checked() -> None:
    with pytest.raises(ValueError, match="eos_id = 10 is not one of the 10 tokens"):
        rules_for(10, 5, eos_id=10)
    with pytest.raises(ValueError, match="banned must lie between 0 and 9; got -1, 12"):
        rules_for(10, 5, banned=(-1, 3, 12))
    with pytest.raises(ValueError, match=r"expected banned \[V\] bool; got \[10\] of torch.float32"):
        BeamRules(eos_id=1, banned=torch.zeros(10), length_norms=torch.ones(6))
    with pytest.raises(ValueError, match=r"expected length_norms \[N\] float32; got \[6\] of torch.float64"):
        norms = torch.ones(6, dtype=torch.float64)
        BeamRules(eos_id=1, banned=torch.zeros(10, dtype=torch.bool), length_norms=norms)
    with pytest.raises(ValueError, match="at least 1 hypothesis; got n_best = 0"):
        rules_for(10, 5, n_best=0)
    for length_penalty in (-0.1, float("nan")):
        with pytest.raises(ValueError, match=f"length_penalty of 0 or more; got {length_penalty}"):
            rules_for(10, 5, length_penalty=length_penalty)


def test_length_norms_are_rounded_once() -> None:
    norms = rules_for(10, 300, length_penalty=0.6).length_norms
    assert norms.shape == (301,)
    assert norms[1:].tolist() == torch.tensor([n**0.6 for n in range(1, 301)]).tolist()
    assert rules_for(10, 5, length_penalty=0.0).length_norms.tolist() == [1.0] * 6


def test_a_finished_hypothesis_reads_back_what_was_written() -> None:
    state, rules = BeamState.empty(1, 1, 6), rules_for(10, 6, length_penalty=1.0)
    state.admit([0], [6], 1)
    log_prob = 0.0
    for token in (5, 7, 5, 2):
        logits = torch.zeros(1, 10)
        logits[0, token] = 5.0
        log_prob += float(logits.log_softmax(1)[0, token])
        beam_step(logits, state, rules)
    assert state.status.tolist() == [SlotStatus.DONE]
    [found] = state.hypotheses(0)
    assert isinstance(found, FinishedHypothesis)
    assert found.tokens == [5, 7, 5]
    assert found.log_prob == pytest.approx(log_prob, abs=1e-5)
    assert found.score == pytest.approx(log_prob / 4, abs=1e-5)


def test_a_gradient_does_not_reach_the_search() -> None:
    state = middle_of_search(2, 2, 9, seed=2, device="cpu")
    beam_step(random_logits(4, 30, 3).requires_grad_(), state, rules_for(30, 9))
    assert not state.log_probs.requires_grad


def test_it_runs_where_triton_is_missing() -> None:
    script = (
        "import sys; sys.modules['triton'] = None\n"
        "import torch; from mtcli_kernels.beam_step import *\n"
        "state = BeamState.empty(1, 2, 4); state.admit([0], [4], 1)\n"
        "rules = BeamRules.of(vocab_size=9, eos_id=2, max_steps=4, length_penalty=1.0)\n"
        "beam_step(torch.zeros(2, 9), state, rules); print(state.last_tokens.tolist())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[[0, 1]]", done.stderr
