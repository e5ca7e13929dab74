"""One step of every search: which continuations live on, which have ended, and when a sentence is done.

The rules are those of `mtcli_kernels.beam_step`, whose reference is their definition; `step_slot` is where one slot's
candidates are chosen. Logits exist for GROUP columns at a time: of each row, the best tokens and the log-sum-exp so far
are kept while the groups go by.

Axes: S slots, K beam, T steps, R rows: the hypotheses that live.
"""

from collections import namedtuple

import numpy as np

from mtcli_native.linear import columns, prepare
from mtcli_native.records import DONE, ESTIMATE, FULL, GROUP, LIVE, NOT_A_NUMBER
from mtcli_native.vectors import (
    add,
    exp,
    first_of,
    jit,
    larger,
    load,
    load_float,
    log,
    lowest_bit,
    mask_of_greater,
    max_of,
    never_inlined,
    same,
    store_float,
    sub,
    sum_of,
)
from mtcli_native.views import float32s, int32s, int64s

f32, i64 = np.float32, np.int64
_NONE, _DEAD = f32(-1e30), f32(-np.inf)

Search = namedtuple(
    "Search",
    "status positions max_tokens source_lengths past memory log_probs last_tokens ancestry tokens parents "
    "finished_scores finished_log_probs finished_steps finished_places outputs",
)
"""The arrays of a SLOTS record."""

Candidates = namedtuple(
    "Candidates",
    "row_slots row_places row_of values ids end_logits largest sums heads log_probs parents tokens ancestry",
)
"""What a step finds, of a WORK record."""


@jit
def search_of(slots, rules):
    """The slots' arrays."""
    s, k, t = slots.num_slots, rules.beam, slots.max_steps
    return Search(
        int64s(slots.p_status, s),
        int64s(slots.p_positions, s),
        int64s(slots.p_max_tokens, s),
        int64s(slots.p_source_lengths, s),
        int64s(slots.p_past, s),
        int64s(slots.p_memory, s),
        float32s(slots.p_log_probs, (s, k)),
        int64s(slots.p_last_tokens, (s, k)),
        int32s(slots.p_ancestry, (s, k, t)),
        int32s(slots.p_tokens, (s, t, k)),
        int32s(slots.p_parents, (s, t, k)),
        float32s(slots.p_finished_scores, (s, k)),
        float32s(slots.p_finished_log_probs, (s, k)),
        int64s(slots.p_finished_steps, (s, k)),
        int64s(slots.p_finished_places, (s, k)),
        int32s(slots.p_outputs, (s, k, t)),
    )


@jit
def candidates_of(slots, rules, work):
    """The workspace's arrays of a step."""
    s, k, r = slots.num_slots, rules.beam, slots.num_slots * rules.beam
    return Candidates(
        int64s(work.p_row_slots, r),
        int64s(work.p_row_places, r),
        int64s(work.p_row_of, (s, k)),
        float32s(work.p_best_values, (r, k + 1)),
        int64s(work.p_best_ids, (r, k + 1)),
        float32s(work.p_end_logits, r),
        float32s(work.p_largest, r),
        float32s(work.p_sums, r),
        int64s(work.p_heads, k),
        float32s(work.p_new_log_probs, k),
        int64s(work.p_new_parents, k),
        int64s(work.p_new_tokens, k),
        int32s(work.p_new_ancestry, (k, slots.max_steps)),
    )


@jit
def gather_rows(slots, search, found, rules):
    """Give every hypothesis that lives a row; returns how many."""
    rows = i64(0)
    for slot in range(slots.num_slots):
        if search.status[slot] == LIVE:
            for place in range(rules.beam):
                if search.log_probs[slot, place] > _DEAD:
                    found.row_slots[rows], found.row_places[rows], found.row_of[slot, place] = slot, place, rows
                    rows += 1
    return rows


@jit
def insert(values, ids, row, count, value, token):
    """Put a token into a row's list of `count`, best first; of equal values the lower id is before."""
    at = count - 1
    while at > 0 and (value > values[row, at - 1] or (value == values[row, at - 1] and token < ids[row, at - 1])):
        values[row, at], ids[row, at] = values[row, at - 1], ids[row, at - 1]
        at -= 1
    values[row, at], ids[row, at] = value, token


@jit
def begin_sums(rows, largest, sums):
    """Begin each row's log-sum-exp: no logit yet."""
    for row in range(rows):
        largest[row], sums[row] = _NONE, f32(0)


@jit
def end_sums(rows, largest, sums):
    """Turn each row's greatest logit into its log-sum-exp, when all groups have gone by."""
    for row in range(rows):
        largest[row] = largest[row] + first_of(log(same(sums[row])))


@jit
def add_to_sum(p_logits, size, row, largest, sums):
    """Take a group of logits into a row's log-sum-exp; returns the greatest of them."""
    greatest, other = load(p_logits), load(p_logits + 64)
    for j in range(128, size * 4, 128):
        greatest, other = larger(load(p_logits + j), greatest), larger(load(p_logits + j + 64), other)
    greatest_here = max_of(larger(greatest, other))
    top = max(greatest_here, largest[row])
    by, total, more = same(top), same(f32(0)), same(f32(0))
    for j in range(0, size * 4, 128):
        total = add(total, exp(sub(load(p_logits + j), by)))
        more = add(more, exp(sub(load(p_logits + j + 64), by)))
    before = first_of(exp(same(largest[row] - top)))
    sums[row] = sums[row] * before + sum_of(add(total, more))
    largest[row] = top
    return greatest_here


@jit
def withhold(p_logits, first, last, row, rules, found):
    """Silence the banned tokens and the end token of a group, and note the end token's logit."""
    ids = int64s(rules.p_withheld, rules.num_withheld)
    for i in range(rules.num_withheld):
        if first <= ids[i] < last:
            p = p_logits + 4 * (ids[i] - first)
            if ids[i] == rules.eos:
                found.end_logits[row] = load_float(p)
            store_float(p, _NONE)


@jit
def keep_best(p_logits, first, size, row, beam, found):
    """Take those of a group's logits into a row's list that belong to its best."""
    for j in range(0, size, 16):
        mask = mask_of_greater(load(p_logits + 4 * j), found.values[row, beam - 1])
        while mask != 0:
            lane = lowest_bit(mask)
            mask &= mask - 1
            value = load_float(p_logits + 4 * (j + lane))
            if value > found.values[row, beam - 1]:
                insert(found.values, found.ids, row, beam, value, first + j + lane)


@jit
def rank_tokens(network, rules, rows, found, work):
    """Of each row: its K best tokens but banned ones and the end token, the end token's logit, and the log-sum-exp."""
    never_inlined()
    output, beam = network.output, rules.beam
    begin_sums(rows, found.largest, found.sums)
    for row in range(rows):
        for j in range(beam):
            found.values[row, j], found.ids[row, j] = _NONE, -1
    prepare(output, work.p_x, rows, work)
    for first in range(0, output.num_outputs, GROUP):
        last = min(output.num_outputs, first + GROUP)
        columns(output, work.p_x, rows, first, last, work.p_logits, GROUP * 4, i64(0), i64(0), work)
        for row in range(rows):
            p_logits = work.p_logits + row * GROUP * 4
            if rules.renormalize:
                withhold_banned(p_logits, first, last, rules)
            greatest = add_to_sum(p_logits, last - first, row, found.largest, found.sums)
            withhold(p_logits, first, last, row, rules, found)
            if greatest > found.values[row, beam - 1]:
                keep_best(p_logits, first, last - first, row, beam, found)
    end_sums(rows, found.largest, found.sums)


@jit
def withhold_banned(p_logits, first, last, rules):
    """Silence the banned tokens of a group before the sum, so that they have no share of the probability."""
    ids = int64s(rules.p_withheld, rules.num_withheld)
    for i in range(rules.num_withheld):
        if first <= ids[i] < last and ids[i] != rules.eos:
            store_float(p_logits + 4 * (ids[i] - first), _NONE)


@jit
def consider_end(slot, place, row, search, rules, found):
    """Give the end token its place among a row's candidates, as far as it may be written now."""
    beam, position = rules.beam, search.positions[slot]
    found.values[row, beam] = _NONE
    if position + 1 >= search.max_tokens[slot]:
        for j in range(1, beam):
            found.values[row, j] = _NONE
        if position >= rules.min_tokens:
            found.values[row, 0], found.ids[row, 0] = found.end_logits[row], rules.eos
        else:
            found.values[row, 0] = _NONE
    elif position >= rules.min_tokens:
        insert(found.values, found.ids, row, beam + 1, found.end_logits[row], rules.eos)


@jit
def next_candidate(slot, search, rules, found):
    """The best candidate of a slot that is not ranked yet: its total and place; -inf if there is none."""
    best, at, position = _DEAD, i64(-1), search.positions[slot]
    is_free = rules.free_end and position + 1 >= search.max_tokens[slot]
    for place in range(rules.beam):
        head = found.heads[place]
        if head <= rules.beam:
            row = found.row_of[slot, place]
            value = found.values[row, head]
            if value > f32(-1e29):
                total = search.log_probs[slot, place]
                if not (is_free and found.ids[row, head] == rules.eos):
                    total = (value - found.largest[row]) + total
                if total > best:
                    best, at = total, place
    return best, at


@jit
def finish(slot, total, place, search, rules):
    """Take a hypothesis that ended into the slot's list of finished ones, behind equal scores."""
    norms, steps = float32s(rules.p_length_norms, search.positions[slot] + 2), search.positions[slot] + 1
    score, at = total / norms[steps], rules.beam - 1
    if not score > search.finished_scores[slot, at]:
        return
    while at > 0 and score > search.finished_scores[slot, at - 1]:
        search.finished_scores[slot, at] = search.finished_scores[slot, at - 1]
        search.finished_log_probs[slot, at] = search.finished_log_probs[slot, at - 1]
        search.finished_steps[slot, at] = search.finished_steps[slot, at - 1]
        search.finished_places[slot, at] = search.finished_places[slot, at - 1]
        at -= 1
    search.finished_scores[slot, at], search.finished_log_probs[slot, at] = score, total
    search.finished_steps[slot, at], search.finished_places[slot, at] = steps, place


@jit
def is_done(slot, living, search, rules, found):
    """Whether a slot's search ends: nothing lives, enough have finished, or none that lives can still enter n_best."""
    if living == 0:
        return True
    limit, steps = search.max_tokens[slot], search.positions[slot] + 1
    norms, best = float32s(rules.p_length_norms, limit + 1), found.log_probs[0]
    worst = search.finished_scores[slot, rules.beam - 1]
    if worst > _DEAD and (rules.stop == FULL or (rules.stop == ESTIMATE and worst >= best / norms[steps])):
        return True
    # Log-probabilities only fall, so that the longest output is the kindest denominator
    nth = search.finished_scores[slot, rules.n_best - 1]
    return nth > _DEAD and nth >= best / norms[limit]


@jit
def write_outputs(slot, search, rules):
    """Follow the finished hypotheses back to their beginnings."""
    for rank in range(rules.n_best):
        if search.finished_scores[slot, rank] == _DEAD:
            break
        place = search.finished_places[slot, rank]
        for t in range(search.finished_steps[slot, rank] - 2, -1, -1):
            search.outputs[slot, rank, t] = search.tokens[slot, t, place]
            place = search.parents[slot, t, place]


@jit
def live_on(slot, living, search, rules, found):
    """Make the new hypotheses the slot's."""
    position = search.positions[slot]
    for place in range(rules.beam):
        if place < living:
            parent = found.parents[place]
            search.tokens[slot, position, place], search.parents[slot, position, place] = found.tokens[place], parent
            for t in range(position):
                found.ancestry[place, t] = search.ancestry[slot, parent, t]
            found.ancestry[place, position] = parent
            search.log_probs[slot, place] = found.log_probs[place]
            search.last_tokens[slot, place] = found.tokens[place]
        else:
            search.log_probs[slot, place] = _DEAD
    for place in range(living):
        for t in range(position + 1):
            search.ancestry[slot, place, t] = found.ancestry[place, t]
    search.positions[slot] = position + 1


@jit
def begin_ranking(slot, search, rules, found):
    """Set out a slot's candidates; whether the network's output was a number for each hypothesis that lives."""
    is_number = True
    for place in range(rules.beam):
        found.heads[place] = rules.beam + 1
        if search.log_probs[slot, place] > _DEAD:
            row = found.row_of[slot, place]
            is_number &= np.isfinite(found.largest[row])
            found.heads[place] = 0
            consider_end(slot, place, row, search, rules, found)
    return is_number


@jit
def step_slot(slot, search, rules, found):
    """Rank a slot's candidates: of the first K, those that end are finished; the first K others live on."""
    if not begin_ranking(slot, search, rules, found):
        search.status[slot] = NOT_A_NUMBER
        return
    rank, living = 0, 0
    while living < rules.beam and rank < 2 * rules.beam:
        total, place = next_candidate(slot, search, rules, found)
        if place < 0:
            break
        token = found.ids[found.row_of[slot, place], found.heads[place]]
        found.heads[place] += 1
        if token != rules.eos:
            found.log_probs[living], found.parents[living], found.tokens[living] = total, place, token
            living += 1
        elif rank < rules.beam:
            finish(slot, total, place, search, rules)
        rank += 1
    if is_done(slot, living, search, rules, found):
        write_outputs(slot, search, rules)
        search.status[slot] = DONE
    else:
        live_on(slot, living, search, rules, found)
