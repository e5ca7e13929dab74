"""The definition of a step: slot by slot, candidate by candidate.

Axes: K beam, V vocabulary.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from mtcli_kernels.beam_step.rules import BeamRules, Stop
from mtcli_kernels.beam_step.state import BeamState, SlotStatus

_DEAD = float("-inf")


class _Candidate(NamedTuple):
    """A live hypothesis extended by one token."""

    total: float
    place: int
    token: int


class _Finished(NamedTuple):
    score: float
    log_prob: float
    steps: int
    place: int


def reference_beam_step(logits: Tensor, state: BeamState, rules: BeamRules) -> None:
    """Same arguments and effect as `beam_step`."""
    rows = logits.float().unflatten(0, (state.num_slots, state.beam))  # [S, K, V]
    for slot in range(state.num_slots):
        if state.status[slot] == SlotStatus.LIVE:
            _step(rows[slot], slot, state, rules)


def _step(logits: Tensor, slot: int, state: BeamState, rules: BeamRules) -> None:
    beam, position, limit = state.beam, int(state.positions[slot]), int(state.max_tokens[slot])
    normaliser = logits.logsumexp(1)  # [K]; over banned tokens too
    is_alive = state.log_probs[slot] > _DEAD
    if not normaliser[is_alive].isfinite().all():
        _leave(state, slot, SlotStatus.NOT_A_NUMBER)
        return

    totals = state.log_probs[slot, :, None] + (logits - normaliser[:, None])  # [K, V]
    if rules.free_end and position + 1 >= limit:
        totals[:, rules.eos_id] = state.log_probs[slot]
    totals[~is_alive] = _DEAD
    totals[:, _forbidden(position, limit, rules)] = _DEAD
    candidates = _best(totals, logits, 2 * beam)

    finished = _read_finished(state, slot)
    norms = rules.length_norms.cpu()
    for total, place, token in candidates[:beam]:
        if token == rules.eos_id and total > _DEAD:
            finished.append(_Finished(_divide(total, norms[position + 1]), total, position + 1, place))
    finished.sort(key=lambda hypothesis: -hypothesis.score)  # stable: of equal scores the earlier stays ahead
    del finished[beam:]
    _write_finished(state, slot, finished)

    nothing = _Candidate(_DEAD, 0, rules.eos_id)
    living = [c if c.total > _DEAD else nothing for c in candidates if c.token != rules.eos_id or c.total == _DEAD]
    living = (living + [nothing] * beam)[:beam]
    if _is_done(living[0].total, finished, beam, rules, norms[position + 1], norms[limit]):
        _leave(state, slot, SlotStatus.DONE)
    else:
        _write_living(state, slot, position, living)


def _forbidden(position: int, limit: int, rules: BeamRules) -> Tensor:
    """[V] bool: what may not be written at this position."""
    forbidden = rules.banned.clone()
    if position + 1 >= limit:
        forbidden[:] = True
        forbidden[rules.eos_id] = rules.banned[rules.eos_id]
    if position < rules.min_tokens:
        forbidden[rules.eos_id] = True
    return forbidden


def _best(totals: Tensor, logits: Tensor, count: int) -> list[_Candidate]:
    """The best candidates: the greatest total first; of equals the lowest place, the greatest logit, the lowest id."""
    vocab_size = totals.shape[1]
    tokens = logits.sort(dim=1, descending=True, stable=True).indices  # by logit, then by id
    ordered = totals.gather(1, tokens).flatten()  # places one after another
    best, indices = (x[:count].tolist() for x in ordered.sort(descending=True, stable=True))
    ids = tokens.flatten()[indices].tolist()
    return [
        _Candidate(total, index // vocab_size, token) for total, index, token in zip(best, indices, ids, strict=True)
    ]


def _divide(total: float, norm: Tensor) -> float:
    return float(torch.tensor(total, dtype=torch.float32) / norm)


def _is_done(
    best_living: float, finished: list[_Finished], beam: int, rules: BeamRules, norm: Tensor, longest_norm: Tensor
) -> bool:
    if best_living == _DEAD:  # every hypothesis was made to end
        return True
    if len(finished) == beam and rules.stop == Stop.FULL:
        return True
    if len(finished) == beam and rules.stop == Stop.ESTIMATE and finished[-1].score >= _divide(best_living, norm):
        return True
    if len(finished) < rules.n_best:
        return False
    # Log-probabilities only fall, so the longest output is the kindest denominator.
    return finished[rules.n_best - 1].score >= _divide(best_living, longest_norm)


def _leave(state: BeamState, slot: int, status: SlotStatus) -> None:
    state.status[slot] = int(status)
    state.positions[slot] = -1


def _read_finished(state: BeamState, slot: int) -> list[_Finished]:
    columns = (state.finished_scores, state.finished_log_probs, state.finished_steps, state.finished_places)
    rows = zip(*(column[slot].tolist() for column in columns), strict=True)
    return [_Finished(*row) for row in rows if row[0] > _DEAD]


def _write_finished(state: BeamState, slot: int, finished: list[_Finished]) -> None:
    for rank, (score, log_prob, steps, place) in enumerate(finished):
        state.finished_scores[slot, rank] = score
        state.finished_log_probs[slot, rank] = log_prob
        state.finished_steps[slot, rank] = steps
        state.finished_places[slot, rank] = place


def _write_living(state: BeamState, slot: int, position: int, living: list[_Candidate]) -> None:
    before = state.ancestry[slot].clone()
    for place, (total, parent, token) in enumerate(living):
        state.log_probs[slot, place] = total
        state.last_tokens[slot, place] = token
        state.tokens[slot, position, place] = token
        state.parents[slot, position, place] = parent
        state.ancestry[slot, place, :position] = before[parent, :position]
        state.ancestry[slot, place, position] = parent
        state.ancestry[slot, place, position + 1] = place
    state.positions[slot] = position + 1
