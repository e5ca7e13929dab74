"""What Python calls: one function, which does what a CALL record says.

ENCODE lets sentences into slots; ADVANCE takes all slots on, step after step, until enough are done; FORCE scores given
translations; HELP does parts of another thread's products as long as that one is at work. Nothing is allocated and
nothing raised. Between calls the host reads and writes the same arrays.
"""

import numpy as np

from mtcli_native.forced import force
from mtcli_native.linear import help_with_products
from mtcli_native.network import decode_step, encode, remember
from mtcli_native.records import ADVANCE, ANNOUNCE, ENCODE, FORCE, HELP, LIVE
from mtcli_native.search import candidates_of, gather_rows, rank_tokens, search_of, step_slot
from mtcli_native.team import end_help
from mtcli_native.vectors import IS_CHECKED, announce, jit
from mtcli_native.views import batch_at, call_at, int64s, network_at, rules_at, slots_at, team_at, work_at

f32, i64 = np.float32, np.int64


@jit
def begin(slot, length, search, rules):
    """A slot's search at its start: one hypothesis, which has the decoder's first token."""
    search.status[slot], search.positions[slot], search.source_lengths[slot] = LIVE, 0, length
    for place in range(rules.beam):
        search.log_probs[slot, place] = f32(-np.inf)
        search.finished_scores[slot, place] = f32(-np.inf)
        search.last_tokens[slot, place] = rules.start
    search.log_probs[slot, 0] = f32(0)


@jit
def let_in(network, rules, slots, batch, work):
    """Encode sentences and begin their searches; where their keys and values go, and how long they may get, is set."""
    search = search_of(slots, rules)
    starts, chosen = int64s(batch.p_starts, batch.num_sentences + 1), int64s(batch.p_slots, batch.num_sentences)
    remember(network, batch, encode(network, batch, work), work)
    for sentence in range(batch.num_sentences):
        begin(chosen[sentence], starts[sentence + 1] - starts[sentence], search, rules)


@jit
def advance(call, network, rules, slots, work):
    """Take all that lives on until enough is done, so many steps of hypotheses are, or a slot's memory is full."""
    search, found = search_of(slots, rules), candidates_of(slots, rules, work)
    room = int64s(slots.p_past_room, slots.num_slots)
    call.num_done = i64(0)
    row_steps, has_room = i64(0), True
    while row_steps < call.most_row_steps and call.num_done < call.enough_done and has_room:
        rows = gather_rows(slots, search, found, rules)
        if rows == 0:
            break
        decode_step(network, search, rules, rows, work)
        rank_tokens(network, rules, rows, found, work)
        for slot in range(slots.num_slots):
            if search.status[slot] == LIVE:
                step_slot(slot, search, rules, found)
                if search.status[slot] != LIVE:
                    call.num_done += 1
                elif search.positions[slot] >= room[slot]:
                    has_room = False
        row_steps += rows


@jit
def run(p_call):
    """Do what the record at this address says."""
    call = call_at(p_call)
    if call.command == ANNOUNCE:
        if IS_CHECKED:
            announce(call.p_batch)
        return i64(0)
    network, work = network_at(call.p_network), work_at(call.p_work)
    if call.command == HELP:
        help_with_products(work)
        return i64(0)
    if call.command == ENCODE:
        let_in(network, rules_at(call.p_rules), slots_at(call.p_slots), batch_at(call.p_batch), work)
    elif call.command == ADVANCE:
        advance(call, network, rules_at(call.p_rules), slots_at(call.p_slots), work)
    elif call.command == FORCE:
        force(network, batch_at(call.p_batch), work)
    if work.p_team != 0:
        end_help(team_at(work.p_team))
    return i64(0)
