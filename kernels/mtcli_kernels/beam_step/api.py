"""The public face of the search step: checks its inputs, then chooses an implementation."""

from dataclasses import fields

import torch
from torch import Tensor

from mtcli_kernels.beam_step.padded import padded_beam_step
from mtcli_kernels.beam_step.reference import reference_beam_step
from mtcli_kernels.beam_step.rules import BeamRules
from mtcli_kernels.beam_step.state import BeamState
from mtcli_kernels.dispatch import Choice, choose, triton_obstacle

OFFERED = ("triton", "padded", "reference")
LARGEST_BEAM = 16  # of the kernels: their merge holds K x K candidates in registers

_STATE = tuple(field.name for field in fields(BeamState))


def choice(impl: str, device: torch.device, dtype: torch.dtype, beam: int) -> Choice:
    """What `beam_step` runs for logits of this number type on this device, with so many hypotheses a slot."""
    obstacle = triton_obstacle(device, dtype)
    if obstacle is None and beam > LARGEST_BEAM:
        obstacle = f"the kernels hold up to {LARGEST_BEAM} hypotheses of a sentence; the beam has {beam}."
    return choose("beam_step", impl, OFFERED, device, {"triton": obstacle})


def beam_step(logits: Tensor, state: BeamState, rules: BeamRules, *, impl: str = "auto") -> None:
    """Take the search of every LIVE slot one step on; greedy search is a beam of one.

    Axes: S slots, K beam, V vocabulary. For each LIVE slot, at position t:

    1. A candidate is a live hypothesis k and a token v; its total is log_probs[k] + logits[k, v] - lse(logits[k]), in
       nats. If the log-sum-exp of a live hypothesis is no finite number, the slot becomes NOT_A_NUMBER and nothing
       else of it changes.
    2. Candidates with a banned token drop out, the end token while t < min_tokens, and every other token when
       t + 1 = max_tokens. They keep their share of the probability.
    3. Candidates are ranked by total; of equal totals the lowest k first, then the greatest logit, the lowest v.
    4. Among the first K, those that end the sentence finish with score total / length_norms[t + 1]. Of finished
       hypotheses the K best by score are kept; of equal scores, the earlier.
    5. The first K that do not end live on. If there are fewer, the places left over have log-probability -inf, the
       end token as their token and place 0 as their parent.
    6. The slot is DONE when nothing lives on; or when the rule `stop` says so: FULL, the usual one, when K hypotheses
       have finished, ESTIMATE when they have and the best total that lives on, divided by length_norms[t + 1], does
       not exceed the worst of their scores, CERTAIN never; or, before that, when n_best have finished and the best
       total that lives on, divided by length_norms[max_tokens], does not exceed the n_best-th best of their scores.
       Totals only fall and the longest output has the kindest denominator, so that the first n_best results are those
       that going on would find.

    With `free_end`, the end token's total where t + 1 = max_tokens is log_probs[k]: it costs nothing.

    Other slots do not change, whatever their logits hold. Nothing waits for the device ("reference" does).

    Args:
        logits: [S * K, V] floating point, any strides; not changed. Arithmetic is float32 whatever their type.
        state: changed in place.
        rules: of the same vocabulary, with length_norms for at least as many steps and n_best of at most K.
        impl: "auto" takes "padded" on a CPU and "triton" on a GPU; "reference" is the definition.

    Raises:
        ValueError: shapes, number types or devices that do not fit, an n_best above K, or an unknown impl.
        UnavailableError: an impl that was named and cannot run here.
    """
    _check(logits, state, rules)
    form = choice(impl, logits.device, logits.dtype, state.beam).impl
    logits = logits.detach()
    if form == "triton":
        from mtcli_kernels.beam_step.op import beam_step_op

        tensors = (getattr(state, name) for name in _STATE)
        numbers = (rules.eos_id, rules.min_tokens, rules.n_best, int(rules.stop), int(rules.free_end))
        beam_step_op(logits, *tensors, rules.banned, rules.length_norms, *numbers)
    elif form == "padded":
        padded_beam_step(logits, state, rules)
    else:
        reference_beam_step(logits, state, rules)


def _check(logits: Tensor, state: BeamState, rules: BeamRules) -> None:
    expected = [state.num_slots * state.beam, rules.vocab_size]
    if list(logits.shape) != expected or not logits.is_floating_point():
        raise ValueError(
            f"expected logits [S * K, V] = {expected}, floating point; got {list(logits.shape)} of {logits.dtype}."
        )
    if rules.length_norms.shape[0] <= state.max_steps:
        raise ValueError(
            f"length_norms end at {rules.length_norms.shape[0] - 1} tokens; the state has room for {state.max_steps}."
        )
    if rules.n_best > state.beam:
        raise ValueError(
            f"n_best = {rules.n_best} hypotheses are asked for and the beam finds up to {state.beam}: "
            "ask for no more than the beam, or widen it."
        )
    devices = {tensor.device for tensor in (logits, state.positions, rules.banned, rules.length_norms)}
    if len(devices) > 1:
        raise ValueError(f"logits, state and rules must be on one device; got {', '.join(sorted(map(str, devices)))}.")
