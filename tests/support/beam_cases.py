"""Searches to try the search step on, a plain Python search to compare with, and how two states are compared.

Axes: S slots, K beam, V vocabulary, T most steps.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mtcli_kernels.beam_step import BeamRules, BeamState, FinishedHypothesis, SlotStatus, Stop, beam_step

START, EOS = 1, 2
CLOSE = 1e-5  # nats: what the order of summation may change in one step


def rules_for(
    vocab_size: int,
    max_steps: int,
    *,
    banned: Sequence[int] = (0,),
    eos_id: int = EOS,
    min_tokens: int = 1,
    length_penalty: float = 0.6,
    n_best: int = 1,
    stop: Stop = Stop.FULL,
    free_end: bool = False,
    device: torch.device | str = "cpu",
) -> BeamRules:
    return BeamRules.of(
        vocab_size=vocab_size,
        eos_id=eos_id,
        max_steps=max_steps,
        length_penalty=length_penalty,
        banned=banned,
        min_tokens=min_tokens,
        n_best=n_best,
        stop=stop,
        free_end=free_end,
        device=device,
    )


def random_logits(rows: int, vocab_size: int, seed: int, scale: float = 3.0) -> Tensor:
    """[rows, V] on the CPU, the same on every machine."""
    return scale * torch.randn(rows, vocab_size, generator=torch.Generator().manual_seed(seed))


def copy_of(state: BeamState) -> BeamState:
    return state.grow(state.max_steps)


def place_live(state: BeamState, slot: int, log_probs: Sequence[float], position: int, max_tokens: int) -> None:
    """Make a slot LIVE in the middle of a search whose past is arbitrary but valid."""
    state.admit([slot], [max_tokens], START)
    beam, device = state.beam, state.positions.device
    generator = torch.Generator().manual_seed(slot + 100 * position)
    state.positions[slot] = position
    state.log_probs[slot] = torch.tensor(log_probs, device=device)
    past = torch.randint(0, beam, (beam, position + 1), generator=generator, dtype=torch.int32)
    past[:, position] = torch.arange(beam)
    state.ancestry[slot, :, : position + 1] = past.to(device)
    for table, high in ((state.tokens, 50), (state.parents, beam)):
        row = torch.randint(0, high, (position, beam), generator=generator, dtype=torch.int32)
        table[slot, :position] = row.to(device)


def place_finished(state: BeamState, slot: int, scores: Sequence[float], steps: int = 2) -> None:
    """Give a slot finished hypotheses with these scores, best first, of `steps` tokens, all from the last place."""
    best_first, count = torch.tensor(scores, device=state.positions.device), len(scores)
    state.finished_scores[slot, :count] = best_first
    state.finished_log_probs[slot, :count] = 3 * best_first
    state.finished_steps[slot, :count] = steps
    state.finished_places[slot, :count] = state.beam - 1


def middle_of_search(num_slots: int, beam: int, max_steps: int, seed: int, device: torch.device | str) -> BeamState:
    """Live slots at various positions, with various log-probabilities, none dead, and up to K - 1 finished ones."""
    state = BeamState.empty(num_slots, beam, max_steps, device)
    generator = torch.Generator().manual_seed(seed)
    for slot in range(num_slots):
        log_probs = -5 - 3 * torch.rand(beam, generator=generator).sort().values
        position = int(torch.randint(1, max_steps - 1, (1,), generator=generator))
        place_live(state, slot, log_probs.tolist(), position, max_steps)
        count = int(torch.randint(0, beam, (1,), generator=generator))
        scores = (-2 - 2 * torch.rand(count, generator=generator)).sort(descending=True).values
        place_finished(state, slot, scores.tolist(), min(3, position))
    return state


def assert_same_state(ours: BeamState, expected: BeamState, close: float = CLOSE) -> None:
    """Everything that means something is equal: integers exactly, numbers within `close` nats."""
    for name in ("positions", "status", "max_tokens", "finished_steps", "finished_places"):
        _assert_equal(name, getattr(ours, name), getattr(expected, name))
    for name in ("finished_log_probs", "finished_scores"):
        _assert_close(name, getattr(ours, name), getattr(expected, name), close)
    live = (expected.status == SlotStatus.LIVE).nonzero().view(-1)
    _assert_close("log_probs", ours.log_probs[live], expected.log_probs[live], close)
    _assert_equal("last_tokens", ours.last_tokens[live], expected.last_tokens[live])
    for slot in live.tolist():
        position = int(expected.positions[slot])
        for name in ("tokens", "parents"):
            _assert_equal(
                f"{name} of slot {slot}",
                getattr(ours, name)[slot, :position],
                getattr(expected, name)[slot, :position],
            )
        _assert_equal(
            f"ancestry of slot {slot}",
            ours.ancestry[slot, :, : position + 1],
            expected.ancestry[slot, :, : position + 1],
        )


def _assert_equal(name: str, ours: Tensor, expected: Tensor) -> None:
    assert torch.equal(ours, expected), f"{name}: {ours.tolist()}, expected {expected.tolist()}"


def _assert_close(name: str, ours: Tensor, expected: Tensor, close: float) -> None:
    is_dead = expected == float("-inf")
    _assert_equal(f"where {name} is -inf", ours == float("-inf"), is_dead)
    error = (ours - expected)[~is_dead].abs()
    assert (error <= close).all(), f"{name}: off by up to {float(error.max())} nats"


def assert_same_steps(
    logits: Tensor, state: BeamState, rules: BeamRules, impl: str, exempt: Sequence[int] = ()
) -> BeamState:
    """Step a copy of `state` as `impl` and as the definition; compare; return what the definition made of it.

    Args:
        exempt: slots that are left out of the comparison.
    """
    ours, expected = copy_of(state), copy_of(state)
    beam_step(logits, ours, rules, impl=impl)
    beam_step(logits, expected, rules, impl="reference")
    kept = [slot for slot in range(state.num_slots) if slot not in exempt]
    slots = torch.tensor(kept, dtype=torch.int64, device=state.positions.device)
    assert_same_state(ours.select(slots), expected.select(slots))
    return expected


def undecided_slots(logits: Tensor, state: BeamState, margin: float = CLOSE) -> list[int]:
    """Slots where two of the best candidates, of unlike rows, are within `margin` nats.

    There the last bit of a log-sum-exp decides, and forms that sum in different orders may differ.
    """
    found = []
    rows = logits.double().unflatten(0, (state.num_slots, state.beam))
    for slot in (state.status == SlotStatus.LIVE).nonzero().view(-1).tolist():
        totals = state.log_probs[slot, :, None].double() + rows[slot].log_softmax(1)
        best, indices = totals.flatten().sort(descending=True, stable=True)
        best, places = best[: 2 * state.beam + 2], indices[: 2 * state.beam + 2] // rows.shape[2]
        near = ((best[:-1] - best[1:]) < margin) & (places[:-1] != places[1:]) & best[1:].isfinite()
        for i in near.nonzero().view(-1).tolist():
            a, b = int(places[i]), int(places[i + 1])
            alike = rows[slot, a].equal(rows[slot, b]) and bool(state.log_probs[slot, a] == state.log_probs[slot, b])
            if not alike:
                found.append(slot)
                break
    return found


def table_model(vocab_size: int, steps: int, seed: int, end_bias: float = 1.0) -> Tensor:
    """[T, V, V]: a model whose logits depend on the step and the last token alone; it likes to end by `end_bias`."""
    table = random_logits(steps * vocab_size, vocab_size, seed).view(steps, vocab_size, vocab_size)
    table[:, :, EOS] += end_bias
    return table


def logits_of(tables: Tensor, state: BeamState) -> Tensor:
    """[S * K, V]: slot i is translated by tables[i] ([S, T, V, V]); NaN in slots that are not live."""
    slots = torch.arange(state.num_slots, device=tables.device)[:, None]
    steps = state.positions.clamp(min=0).to(torch.int64)[:, None]
    logits = tables[slots, steps, state.last_tokens]  # [S, K, V]
    is_live = (state.status == SlotStatus.LIVE)[:, None, None]
    return logits.where(is_live, float("nan")).flatten(0, 1)


def whole_search(
    tables: Tensor,
    limits: Sequence[int],
    beam: int,
    rules: BeamRules,
    impl: str,
    each_step: Callable[[BeamState, Tensor], None] | None = None,
) -> BeamState:
    """Search until nothing is live."""
    state = BeamState.empty(len(limits), beam, tables.shape[1], tables.device)
    state.admit(range(len(limits)), limits, START)
    while (state.status == SlotStatus.LIVE).any():
        logits = logits_of(tables, state)
        if each_step is not None:
            each_step(state, logits)
        beam_step(logits, state, rules, impl=impl)
    return state


def plain_search(
    table: Tensor,
    limit: int,
    beam: int,
    *,
    length_penalty: float = 0.6,
    banned: Sequence[int] = (0,),
    min_tokens: int = 1,
    n_best: int | None = 1,
    stop: Stop = Stop.FULL,
    free_end: bool = False,
) -> list[FinishedHypothesis]:
    """Beam search over whole sequences in plain Python: neither tensors of state, nor places, nor parents.

    Args:
        n_best: None goes on until `stop` says so, however certain the best of them are.
    """
    live: list[tuple[float, list[int]]] = [(0.0, [])]
    finished: list[FinishedHypothesis] = []
    for step in range(limit):
        candidates = []
        for total, tokens in live:
            log_probs = table[step, tokens[-1] if tokens else START].log_softmax(0).tolist()
            if free_end and step + 1 == limit:
                log_probs[EOS] = 0.0
            for token, log_prob in enumerate(log_probs):
                may_follow = step >= min_tokens if token == EOS else step + 1 < limit
                if token not in banned and may_follow:
                    candidates.append((total + log_prob, [*tokens, token]))
        candidates.sort(key=lambda candidate: -candidate[0])
        live = []
        for rank, (total, tokens) in enumerate(candidates[: 2 * beam]):
            if tokens[-1] != EOS:
                live.append((total, tokens))
            elif rank < beam:
                finished.append(FinishedHypothesis(tokens[:-1], total, total / len(tokens) ** length_penalty))
        finished = sorted(finished, key=lambda hypothesis: -hypothesis.score)[:beam]
        live = live[:beam]
        if not live:
            break
        if len(finished) == beam and stop == Stop.FULL:
            break
        present = live[0][0] / (step + 1) ** length_penalty
        if len(finished) == beam and stop == Stop.ESTIMATE and finished[-1].score >= present:
            break
        bound = live[0][0] / limit**length_penalty
        if n_best is not None and len(finished) >= n_best and finished[n_best - 1].score >= bound:
            break
    return finished


def assert_same_hypotheses(ours: list[FinishedHypothesis], expected: list[FinishedHypothesis]) -> None:
    assert [h.tokens for h in ours] == [h.tokens for h in expected]
    for a, b in zip(ours, expected, strict=True):
        assert abs(a.log_prob - b.log_prob) < 1e-4
        assert abs(a.score - b.score) < 1e-4
