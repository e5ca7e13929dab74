"""One step of beam search on a batch's logits.

The slots are in the middle of their searches and stay there: the end token's logit is low, and what a call changes
is put back before the next.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import partial
from itertools import product
from typing import Any

import torch
from torch import Tensor

from mtcli.bench.kernels import forms
from mtcli.bench.kernels.forms import OperationCase, Outputs, Variant
from mtcli.bench.record.schema import PADDED
from mtcli.bench.roofline import formulas
from mtcli.bench.settings import BenchSettings
from mtcli_kernels.beam_step import BeamRules, BeamState, beam_step

BEAMS = (4, 1)
# Number types, slots and vocabulary; the most wanted first.
PLANS = {
    "gpu": ((torch.float16, torch.float32), (64, 1024, 1, 256), 32_000),
    "cpu": ((torch.float32,), (16, 1, 64), 32_000),
    "toy": ((torch.float16,), (3,), 70),
}
STEPS, MOST_STEPS = 16, 128  # taken so far, and room
SPREAD = 3.0  # standard deviation of the logits
END, START, BANNED = 2, 1, (0, 1)
END_LOGIT = -30.0
TOP_K = "log_softmax and topk"  # on a CPU it stands for the definition, which takes seconds for many slots


@dataclass
class BeamStepInputs:
    logits: Tensor  # [S*K, V]
    state: BeamState
    kept: BeamState  # the same, to put back
    rules: BeamRules


def cases(settings: BenchSettings) -> Iterator[OperationCase]:
    """Every number of slots with every beam."""
    dtypes, all_slots, vocabulary = PLANS[forms.case_size(settings)]
    device = settings.torch_device
    for dtype, beam, slots in product(dtypes, BEAMS, all_slots):
        lineup = forms.lineup_on(device)
        if lineup == forms.ON_CPU and slots > 1:
            lineup = forms.Lineup(lineup.ours, TOP_K)
        yield OperationCase(
            name=f"slots {slots}, beam {beam}, vocabulary {vocabulary}",
            dtype=dtype,
            arithmetic=torch.float32,
            cost=formulas.logits(slots * beam, vocabulary, dtype.itemsize),
            make=partial(_make, slots, beam, vocabulary, dtype, device),
            exact=_exact,
            variants=tuple(_variants(lineup)),
            lineup=lineup,
            before=_put_back,
            in_graph=True,
        )


def _make(slots: int, beam: int, vocabulary: int, dtype: torch.dtype, device: str, seed: int) -> BeamStepInputs:
    random = forms.random_normal(device, dtype, seed, SPREAD)

    def random_logits(size: int) -> Tensor:
        logits = random(slots * beam, size)
        logits[:, END] = END_LOGIT
        return logits

    state = BeamState.empty(slots, beam, MOST_STEPS, device)
    state.admit(range(slots), [MOST_STEPS] * slots, START)
    few = min(vocabulary, 64)
    for _ in range(STEPS):  # of a smaller vocabulary: only where the search stands matters
        beam_step(random_logits(few), state, _rules(few, device), impl=PADDED)
    kept = BeamState(**{field.name: getattr(state, field.name).clone() for field in fields(state)})
    return BeamStepInputs(random_logits(vocabulary), state, kept, _rules(vocabulary, device))


def _rules(vocabulary: int, device: str) -> BeamRules:
    return BeamRules.of(
        vocab_size=vocabulary, eos_id=END, max_steps=MOST_STEPS, length_penalty=1.0, banned=BANNED, device=device
    )


def _put_back(inputs: BeamStepInputs) -> None:
    for field in fields(inputs.state):
        getattr(inputs.state, field.name).copy_(getattr(inputs.kept, field.name))


def _exact(inputs: BeamStepInputs) -> Outputs:
    """By sorting all continuations, in float64: totals, twice; new positions; statuses; no wrong ancestor."""
    totals = _continuations(inputs).flatten(1).topk(inputs.state.beam, dim=1).values
    kept = inputs.kept
    return totals, totals, kept.positions + 1, kept.status, torch.zeros_like(kept.positions)


def _continuations(inputs: BeamStepInputs) -> Tensor:
    """[S, K, V] float64: the totals of all candidates, -inf where banned."""
    wide = inputs.logits.double().log_softmax(dim=-1).masked_fill_(inputs.rules.banned, float("-inf"))
    return wide.view(inputs.state.num_slots, inputs.state.beam, -1).add_(inputs.kept.log_probs[:, :, None])


def _found(inputs: BeamStepInputs, returned: Any) -> Outputs:
    """What the state says: its totals, and those that its tokens and parents really have.

    Not the tokens themselves: of two that are equal but for rounding, either may be taken.
    """
    state, kept = inputs.state, inputs.kept
    slots = torch.arange(state.num_slots, device=state.positions.device)
    tokens, parents = (table[slots, kept.positions.long()].long() for table in (state.tokens, state.parents))  # [S, K]
    real = _continuations(inputs)[slots[:, None], parents, tokens]
    before = kept.ancestry[slots[:, None], parents, :STEPS]  # the parent's, but for the step it wrote itself
    wrong = (state.ancestry[:, :, :STEPS] != before).sum((1, 2)) + (state.ancestry[:, :, STEPS] != parents).sum(1)
    return state.log_probs, real, state.positions, state.status, wrong.int()


def _variants(lineup: forms.Lineup) -> Iterator[Variant]:
    for impl in lineup:
        if impl != TOP_K:
            yield Variant(name=impl, run=partial(_mtcli, impl=impl), outputs=_found)
    yield Variant(name=TOP_K, run=_rank, outputs=_ranked, note="ranks the continuations; keeps no state")


def _mtcli(inputs: BeamStepInputs, impl: str) -> None:
    beam_step(inputs.logits, inputs.state, inputs.rules, impl=impl)


def _rank(inputs: BeamStepInputs) -> Tensor:
    """[S, 2 K]: totals of the best 2 K continuations of each slot."""
    scores = inputs.logits.log_softmax(dim=-1, dtype=torch.float32).masked_fill(inputs.rules.banned, float("-inf"))
    log_probs = inputs.kept.log_probs
    totals = scores.view(*log_probs.shape, -1) + log_probs[:, :, None]
    return totals.flatten(1).topk(2 * log_probs.shape[1], dim=1).values


def _ranked(inputs: BeamStepInputs, totals: Tensor) -> Outputs:
    """The totals; a ranking has no state to look at, so what is expected of one is handed back."""
    best = totals[:, : inputs.state.beam]
    _, _, *rest = _exact(inputs)
    return best, best, *rest
