"""A step for a few rows of logits on a CPU, in plain Python after the logits are read.

For one sentence the vectorised form spends its time calling PyTorch, a hundred times on a handful of numbers. Here the
candidates of each slot become a list. The arithmetic is float32 in both, and so are the results, to the bit.

Axes: S slots, K beam, R = S x K rows, V vocabulary.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mtcli_kernels.beam_step.rules import BeamRules, Stop
from mtcli_kernels.beam_step.state import BeamState, SlotStatus

_DEAD = float("-inf")
_FINISHED = ("finished_scores", "finished_log_probs", "finished_steps", "finished_places")


class _Candidate(NamedTuple):
    """A continuation; the order of these tuples is the order of the search."""

    minus_total: float
    place: int
    minus_logit: float
    token: int


def step_few_rows(logits: Tensor, normaliser: Tensor, state: BeamState, rules: BeamRules) -> bool:
    """The same effect as `beam_step`, given the log-sum-exp [R, 1] of the logits [R, V].

    False, with nothing changed, where a row's K-th best logit is not alone: torch.topk promises no order of equals.
    """
    num_slots, beam = state.log_probs.shape
    others = logits.float().index_fill(1, rules.withheld_ids, _DEAD)  # what is neither banned nor the end token
    values, ids = others.topk(min(beam + 1, rules.vocab_size), dim=1)
    if values.shape[1] > beam:
        edge, behind = values[:, beam - 1], values[:, beam]
        if bool((edge == behind).logical_and_(behind > _DEAD).any()):
            return False
        values, ids = values[:, :beam], ids[:, :beam]
    values = torch.cat([values, logits[:, rules.eos_id, None].float()], dim=1)
    if rules.free_end:
        must_end = (state.positions + 1 >= state.max_tokens).repeat_interleave(beam)
        values[:, -1:] = normaliser.where(must_end[:, None], values[:, -1:])
    totals = ((values - normaliser) + state.log_probs.view(-1, 1)).tolist()
    is_sound = (normaliser.isfinite() | (state.log_probs.view(-1, 1) == _DEAD)).view(num_slots, beam).all(1).tolist()
    tokens, logit_rows, norms = ids.tolist(), values.tolist(), rules.length_norms.numpy()
    positions, limits = state.positions.tolist(), state.max_tokens.tolist()
    for slot, status in enumerate(state.status.tolist()):
        if status != SlotStatus.LIVE:
            continue
        if not is_sound[slot]:
            _leave(state, slot, SlotStatus.NOT_A_NUMBER)
            continue
        position, may_go_on = positions[slot], positions[slot] + 1 < limits[slot]
        may_end = position >= rules.min_tokens and not rules.end_is_banned
        candidates = []
        for place in range(beam):
            row = slot * beam + place
            names = [*tokens[row], rules.eos_id] if may_go_on else [-1] * len(tokens[row]) + [rules.eos_id]
            candidates += [
                _Candidate(-total, place, -logit, token)
                for total, logit, token in zip(totals[row], logit_rows[row], names, strict=True)
                if total > _DEAD and token >= 0 and (may_end or token != rules.eos_id)
            ]
        candidates.sort()
        _take(state, slot, position, candidates, norms, norms[limits[slot]], rules)
    return True


def _take(
    state: BeamState,
    slot: int,
    position: int,
    candidates: list[_Candidate],
    norms: "np.ndarray[tuple[int], np.dtype[np.float32]]",
    longest_norm: np.float32,
    rules: BeamRules,
) -> None:
    """Finish and go on with a slot's ranked candidates."""
    beam, eos_id = state.beam, rules.eos_id
    ends = [candidate for candidate in candidates[:beam] if candidate.token == eos_id]
    if ends:
        _finish(state, slot, position + 1, ends, norms[position + 1])
    living = [candidate for candidate in candidates if candidate.token != eos_id][:beam]
    scores = state.finished_scores[slot].tolist()
    if not living or _is_done(np.float32(-living[0].minus_total), scores, norms[position + 1], longest_norm, rules):
        _leave(state, slot, SlotStatus.DONE)
        return
    missing = beam - len(living)  # places without a hypothesis
    tokens = [candidate.token for candidate in living] + [eos_id] * missing
    parents = [candidate.place for candidate in living] + [0] * missing
    state.log_probs.numpy()[slot] = [-candidate.minus_total for candidate in living] + [_DEAD] * missing
    state.last_tokens.numpy()[slot] = tokens
    state.tokens.numpy()[slot, position] = tokens
    state.parents.numpy()[slot, position] = parents
    if beam > 1:  # a beam of one has only place 0, from the start
        ancestry = state.ancestry.numpy()[slot]
        ancestry[:, :position] = ancestry[parents, :position]
        ancestry[:, position] = parents
        ancestry[:, position + 1] = range(beam)
    state.positions.numpy()[slot] = position + 1


def _is_done(
    best: np.float32, scores: list[float], norm: np.float32, longest_norm: np.float32, rules: BeamRules
) -> bool:
    if scores[-1] > _DEAD and rules.stop != Stop.CERTAIN and (rules.stop == Stop.FULL or scores[-1] >= best / norm):
        return True
    # Log-probabilities only fall, so the longest output is the kindest denominator.
    return bool(scores[rules.n_best - 1] >= best / longest_norm)


def _finish(state: BeamState, slot: int, steps: int, ends: list[_Candidate], norm: np.float32) -> None:
    """Merge what ended into the finished hypotheses; of equal scores the earlier stays ahead."""
    columns = [getattr(state, name).numpy()[slot] for name in _FINISHED]
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    for candidate in ends:
        total = -candidate.minus_total
        rows.append((float(np.float32(total) / norm), total, steps, candidate.place))
    rows.sort(key=lambda row: -row[0])  # stable
    for column, values in zip(columns, zip(*rows[: state.beam], strict=True), strict=True):
        column[:] = values


def _leave(state: BeamState, slot: int, status: SlotStatus) -> None:
    state.status.numpy()[slot], state.positions.numpy()[slot] = int(status), -1
