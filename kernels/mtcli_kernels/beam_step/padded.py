"""A step in vectorised PyTorch, all slots at once.

The logits are read once. Ranking whole rows by torch.topk would cost as much as everything else together, so a
row is cut into blocks: the K best tokens of a row lie in the K blocks with the greatest maxima, and only those
are ranked. The end token, which a slot may or may not use, takes part separately.

torch.topk promises no order among equals. Here it ranks `_keys`, of which no two are equal.

Nothing waits for the device, but on a CPU, where looking costs nothing, idle work is skipped.

Axes: S slots, K beam, R = S x K rows, V vocabulary, B blocks of a row, N = K + 1 candidates of a row, T most steps.
"""

import torch
from torch import Tensor

from mtcli_kernels.beam_step.rules import BeamRules, Stop
from mtcli_kernels.beam_step.state import BeamState, SlotStatus

_BLOCK = 64
# Logits taken at a time: what stays in the cache of a CPU while it is read again, and what fills a GPU.
_CHUNK_NUMBERS = {"cpu": 2**18, "cuda": 2**26}
_DEAD = float("-inf")


def padded_beam_step(logits: Tensor, state: BeamState, rules: BeamRules) -> None:
    """Same arguments and effect as `beam_step`."""
    if state.num_slots == 0:
        return
    num_slots, beam = state.log_probs.shape
    maxima, normaliser = _read_logits(logits)
    values, ids = _best_tokens(logits, maxima, normaliser, state, rules)
    ids, normaliser = ids.view(num_slots, beam, -1), normaliser.view(num_slots, beam, 1)

    is_alive = (state.log_probs > _DEAD)[:, :, None]
    is_broken = (is_alive & ~normaliser.isfinite()).view(num_slots, beam).any(1)  # [S]
    totals = (values.view(ids.shape) - normaliser).add_(state.log_probs[:, :, None])  # [S, K, N]
    totals = totals.masked_fill_(~is_alive, _DEAD).view(num_slots, -1)

    totals, order = totals.sort(dim=1, descending=True, stable=True)  # [S, K * N]
    tokens, parents = ids.view(num_slots, -1).gather(1, order), order // ids.shape[2]
    ends = (tokens == rules.eos_id) & (totals > _DEAD)
    is_live = state.status == SlotStatus.LIVE
    is_sound = is_live & ~is_broken
    _finish(state, rules, totals[:, :beam], parents[:, :beam], ends[:, :beam] & is_sound[:, None])

    living = ends.to(torch.int8).argsort(dim=1, stable=True)[:, :beam]  # the first K that do not end
    totals, tokens, parents = totals.gather(1, living), tokens.gather(1, living), parents.gather(1, living)
    is_dead = totals == _DEAD
    tokens.masked_fill_(is_dead, rules.eos_id)
    parents.masked_fill_(is_dead, 0)
    is_done = _is_done(totals[:, 0], state, rules)
    goes_on = is_sound & ~is_done
    some_leave = _any(~goes_on)
    _live_on(state, totals, tokens, parents, goes_on if some_leave else None)
    if some_leave:
        state.status.masked_fill_(is_live & is_broken, int(SlotStatus.NOT_A_NUMBER))
        state.status.masked_fill_(is_sound & is_done, int(SlotStatus.DONE))
        state.positions.masked_fill_(~goes_on, -1)


def _any(mask: Tensor) -> bool:
    """Whether something is set, or may be, where looking would mean waiting."""
    return mask.device.type != "cpu" or bool(mask.any())


def _read_logits(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The maximum of each block [R, B], and the log-sum-exp of each row [R, 1], float32; no token is banned here."""
    num_rows, vocab_size = logits.shape
    num_blocks, whole = -(-vocab_size // _BLOCK), vocab_size // _BLOCK
    rows = min(num_rows, max(1, _CHUNK_NUMBERS.get(logits.device.type, 2**26) // vocab_size))
    maxima = logits.new_empty((num_rows, num_blocks), dtype=torch.float32)
    peaks, sums = maxima.new_empty(num_rows, 1), maxima.new_empty(num_rows, 1)
    exps = maxima.new_empty(rows, num_blocks, _BLOCK)
    exps[:, whole:] = 0  # and zeros stay behind the last logit
    for start in range(0, num_rows, rows):
        here = slice(start, start + rows)
        part = logits[here].float()
        torch.amax(part[:, : whole * _BLOCK].unflatten(1, (whole, _BLOCK)), dim=2, out=maxima[here, :whole])
        if whole < num_blocks:
            torch.amax(part[:, whole * _BLOCK :], dim=1, out=maxima[here, whole])
        torch.amax(maxima[here], dim=1, keepdim=True, out=peaks[here])
        part_exps = exps[: part.shape[0]]
        torch.sub(part, peaks[here], out=part_exps.flatten(1)[:, :vocab_size]).exp_()
        # In two stages, so that a row's sum is rounded alike whether it comes alone or among others.
        torch.sum(part_exps.sum(2), dim=1, keepdim=True, out=sums[here])
    return maxima, sums.log_().add_(peaks)


def _end_logits(logits: Tensor, normaliser: Tensor, state: BeamState, rules: BeamRules) -> Tensor:
    """[R, 1]: the end token's logit, -inf in slots that may not end; where it is free, that of certainty."""
    may_not_end = (state.positions < rules.min_tokens) | rules.banned[rules.eos_id]
    end_logits = logits[:, rules.eos_id].float().view(state.num_slots, state.beam)
    if rules.free_end:
        must_end = state.positions + 1 >= state.max_tokens
        end_logits = normaliser.view_as(end_logits).where(must_end[:, None], end_logits)
    return end_logits.masked_fill(may_not_end[:, None], _DEAD).view(-1, 1)


def _best_tokens(
    logits: Tensor, maxima: Tensor, normaliser: Tensor, state: BeamState, rules: BeamRules
) -> tuple[Tensor, Tensor]:
    """The best K tokens of each row, and the end token among them: logits float32 and ids int64, each [R, <= N]."""
    num_rows, num_blocks = maxima.shape
    withheld = rules.withheld(_BLOCK)
    others = logits.index_select(1, withheld.ids).float().masked_fill_(withheld.here, _DEAD)
    maxima.index_copy_(1, withheld.blocks, others.view(num_rows, -1, _BLOCK).amax(2))
    block_keys = _keys(maxima, torch.arange(num_blocks, device=logits.device))
    blocks = block_keys.topk(min(state.beam, num_blocks), dim=1, sorted=False).indices  # [R, <= K]
    ids = blocks[:, :, None] * _BLOCK + torch.arange(_BLOCK, device=logits.device)  # [R, <= K, 64]
    ids = ids.view(num_rows, -1)
    values = logits.gather(1, ids.clamp(max=rules.vocab_size - 1)).float()
    values.masked_fill_(withheld.mask.index_select(0, blocks.view(-1)).view(ids.shape), _DEAD)
    must_end = state.positions + 1 >= state.max_tokens  # [S]
    if _any(must_end):
        values.masked_fill_(must_end[:, None].expand(-1, state.beam).reshape(-1, 1), _DEAD)

    values = torch.cat([values, _end_logits(logits, normaliser, state, rules)], dim=1)
    ids = torch.cat([ids, ids.new_full((num_rows, 1), rules.eos_id)], dim=1)
    best = _keys(values, ids).topk(min(state.beam + 1, ids.shape[1]), dim=1).indices
    return values.gather(1, best), ids.gather(1, best)


def _keys(values: Tensor, ids: Tensor) -> Tensor:
    """int64, greater for the greater value (float32), and of equal values for the lower id.

    The bits of a positive float, read as an integer, grow with it; those of a negative one fall, hence the flip.
    """
    bits = (values + 0.0).view(torch.int32)  # -0 + 0 = 0: they are equal, but their bits are not
    bits ^= (bits >> 31).bitwise_and_(0x7FFFFFFF)
    return bits.to(torch.int64).bitwise_left_shift_(32).sub_(ids)


def _finish(state: BeamState, rules: BeamRules, totals: Tensor, parents: Tensor, ends: Tensor) -> None:
    """Merge those of the first K candidates [S, K] that end into the finished hypotheses."""
    if not _any(ends):
        return
    steps = state.positions + 1  # 0 in slots that have none
    scores = totals / rules.length_norms[steps][:, None]
    merged = (
        (state.finished_scores, scores.where(ends, _DEAD)),
        (state.finished_log_probs, totals.where(ends, _DEAD)),
        (state.finished_steps, steps[:, None].where(ends, 0)),
        (state.finished_places, parents.where(ends, 0).to(torch.int32)),
    )
    both = [torch.cat(pair, dim=1) for pair in merged]
    order = both[0].argsort(dim=1, descending=True, stable=True)[:, : state.beam]
    for (old, _), column in zip(merged, both, strict=True):
        old.copy_(column.gather(1, order))


def _is_done(best_total: Tensor, state: BeamState, rules: BeamRules) -> Tensor:
    """[S]: no live hypothesis is left, or the rules say stop, or none that lives can enter the first n_best."""
    is_done, last_kept = best_total == _DEAD, state.finished_scores[:, -1]
    if rules.stop == Stop.FULL:
        is_done |= last_kept > _DEAD
    elif rules.stop == Stop.ESTIMATE:
        is_done |= (last_kept > _DEAD) & (last_kept >= best_total / rules.length_norms[state.positions + 1])
    if rules.n_best < state.beam or rules.stop != Stop.FULL:
        # Log-probabilities only fall, so the longest output is the kindest denominator.
        bound = best_total / rules.length_norms[state.max_tokens]
        is_done |= state.finished_scores[:, rules.n_best - 1] >= bound
    return is_done


def _live_on(state: BeamState, totals: Tensor, tokens: Tensor, parents: Tensor, goes_on: Tensor | None) -> None:
    """Make these, all [S, K], the hypotheses of the slots that go on (None: of all), at their next positions."""
    beam = state.beam
    step = state.positions.clamp(min=0).to(torch.int64)[:, None, None]  # [S, 1, 1]
    here = step.expand(-1, 1, beam)
    written = [(state.log_probs, totals), (state.last_tokens, tokens)]
    if beam > 1:  # a beam of one has only place 0, from the start
        parent_rows, step_rows = parents[:, :, None], step.expand(-1, beam, 1)
        places = torch.arange(beam, dtype=torch.int32, device=totals.device)[None, :, None]
        ancestry = state.ancestry.gather(1, parent_rows.expand_as(state.ancestry))
        ancestry.scatter_(2, step_rows, parent_rows.to(torch.int32))
        ancestry.scatter_(2, step_rows + 1, places.expand_as(step_rows))
        written.append((state.ancestry, ancestry))
    for target, new in written:
        target.copy_(_kept(new, target, goes_on))
    for table, column in ((state.tokens, tokens), (state.parents, parents)):
        row = column[:, None].to(torch.int32)
        table.scatter_(1, here, row if goes_on is None else _kept(row, table.gather(1, here), goes_on))
    state.positions.add_(1)


def _kept(new: Tensor, old: Tensor, goes_on: Tensor | None) -> Tensor:
    return new if goes_on is None else new.where(goes_on.view(-1, *[1] * (new.dim() - 1)), old)
