"""One step of beam search in two kernels: the best of each vocabulary tile, then the search of each slot.

A candidate is one 64-bit integer, its key, so that a plain maximum finds the greatest value and, of equal values,
the lowest id:

    | value, 32 bits, ordered as an integer | 0x7FFFFFFF - id, 32 bits |

Axes: S slots, K beam (BEAM; PLACES after padding to a power of two), R = S x K rows, V vocabulary in tiles of
BLOCK_V, T most steps. Prefixes: b_ block, p_ pointer, o_ offset, m_ mask. `end` is the token that ends a sentence.
Arithmetic is float32 whatever the logits are.
"""

# mypy: disable-error-code="untyped-decorator, no-untyped-def"
# ruff: noqa: N803
import triton
import triton.language as tl

LOG2E = tl.constexpr(1.4426950408889634)
DEAD = tl.constexpr(float("-inf"))
NOTHING = tl.constexpr(-2139095041 << 32)  # the key of a dead value that loses against all others: no candidate
LIVE = tl.constexpr(1)  # as in state.SlotStatus
DONE = tl.constexpr(2)
NOT_A_NUMBER = tl.constexpr(3)
FULL = tl.constexpr(0)  # as in rules.Stop
ESTIMATE = tl.constexpr(1)


@triton.jit
def _key(value, index):
    """int64, of float32 values and int32 indices from 0 on.

    The bits of a positive float, read as an integer, grow with it; those of a negative one fall, hence the flip.
    """
    bits = tl.where(value == 0.0, 0.0, value).to(tl.int32, bitcast=True)  # -0 equals 0, but its bits do not
    order = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return (order.to(tl.int64) << 32) | (0x7FFFFFFF - index)


@triton.jit
def _value(key):
    order = (key >> 32).to(tl.int32)
    return (order ^ ((order >> 31) & 0x7FFFFFFF)).to(tl.float32, bitcast=True)


@triton.jit
def _index(key):
    return 0x7FFFFFFF - (key & 0x7FFFFFFF).to(tl.int32)


@triton.jit
def beam_step_tile_kernel(
    LOGITS,
    STATUS,
    POSITIONS,
    MAX_TOKENS,
    LOG_PROBS,
    BANNED,
    PEAKS,
    SUMS,
    KEYS,
    stride_lr,
    vocab_size,
    eos_id,
    BEAM: tl.constexpr,
    BLOCK_V: tl.constexpr,
):
    """One program is one tile of one row: its peak, its sum of exp(logit - peak) and its K best keys.

    Banned tokens count in the sum and not among the best; so does the end token, which the other kernel looks up.
    """
    row, tile = tl.program_id(0), tl.program_id(1)
    slot = row // BEAM
    is_live = tl.load(STATUS + slot) == LIVE
    if is_live & (tl.load(LOG_PROBS + row) > DEAD):
        o_v = tile * BLOCK_V + tl.arange(0, BLOCK_V)
        m_v = o_v < vocab_size
        p_row = LOGITS + row.to(tl.int64) * stride_lr  # row * stride passes 2^31
        b_logit = tl.load(p_row + o_v, mask=m_v, other=DEAD).to(tl.float32)  # [BLOCK_V]

        peak = tl.max(b_logit, 0)
        floor = tl.where(peak == DEAD, 0.0, peak)  # a tile of -inf alone adds 0; +inf and NaN make the sum NaN
        o_tile = row.to(tl.int64) * tl.num_programs(1) + tile
        tl.store(PEAKS + o_tile, peak)
        tl.store(SUMS + o_tile, tl.sum(tl.exp2((b_logit - floor) * LOG2E), 0))

        if tl.load(POSITIONS + slot) + 1 < tl.load(MAX_TOKENS + slot):  # else it can only end
            m_banned = tl.load(BANNED + o_v, mask=m_v, other=1) != 0
            b_key = tl.where(m_banned | (o_v == eos_id), NOTHING, _key(b_logit, o_v))
            for place in range(BEAM):
                best = tl.max(b_key, 0)
                tl.store(KEYS + o_tile * BEAM + place, best)
                b_key = tl.where(b_key == best, NOTHING, b_key)


@triton.jit
def _log_sum_exp(PEAKS, SUMS, o_row, m_alive, num_tiles, PLACES: tl.constexpr, BLOCK_TILES: tl.constexpr):
    """[PLACES]: each row's, from its tiles'. NaN or infinite if the row is broken, or not alive.

    The peak starts at -inf and may stay there: the NaN that follows is what the caller looks for.
    """
    o_tile = tl.arange(0, BLOCK_TILES)
    p_row = o_row.to(tl.int64)[:, None] * num_tiles
    peak = tl.full([PLACES], DEAD, tl.float32)
    for start in range(0, num_tiles, BLOCK_TILES):
        m_tile = m_alive[:, None] & (start + o_tile < num_tiles)[None, :]
        b_peak = tl.load(PEAKS + p_row + (start + o_tile)[None, :], mask=m_tile, other=DEAD)  # [PLACES, BLOCK_TILES]
        peak = tl.maximum(peak, tl.max(b_peak, 1))
    total = tl.zeros([PLACES], tl.float32)
    for start in range(0, num_tiles, BLOCK_TILES):
        m_tile = m_alive[:, None] & (start + o_tile < num_tiles)[None, :]
        b_peak = tl.load(PEAKS + p_row + (start + o_tile)[None, :], mask=m_tile, other=DEAD)
        b_sum = tl.load(SUMS + p_row + (start + o_tile)[None, :], mask=m_tile, other=0.0)
        total += tl.sum(b_sum * tl.exp2((b_peak - peak[:, None]) * LOG2E), 1)
    return peak + tl.log(total)


@triton.jit
def _best_of_rows(
    KEYS, o_row, m_alive, num_tiles, num_keys, BEAM: tl.constexpr, PLACES: tl.constexpr, LANES: tl.constexpr
):
    """[PLACES, PLACES]: each row's K best keys in their order, from its tiles'; LANES of these are held at a time."""
    o_place, o_lane = tl.arange(0, PLACES), tl.arange(0, LANES)
    p_row = KEYS + o_row.to(tl.int64)[:, None] * (num_tiles * BEAM)
    b_best = tl.full([PLACES, PLACES], NOTHING, tl.int64)
    for start in range(0, num_keys, LANES):
        m_key = m_alive[:, None] & (start + o_lane < num_keys)[None, :]
        b_key = tl.load(p_row + (start + o_lane)[None, :], mask=m_key, other=NOTHING)  # [PLACES, LANES]
        b_merged = tl.full([PLACES, PLACES], NOTHING, tl.int64)
        for rank in range(BEAM):
            best = tl.maximum(tl.max(b_best, 1), tl.max(b_key, 1))
            b_merged = tl.where(o_place[None, :] == rank, best[:, None], b_merged)
            b_best = tl.where(b_best == best[:, None], NOTHING, b_best)
            b_key = tl.where(b_key == best[:, None], NOTHING, b_key)
        b_best = b_merged
    return b_best


@triton.jit
def _survivors(b_total, b_key, BEAM: tl.constexpr, PLACES: tl.constexpr):
    """The K best of the candidates [PLACES, PLACES] that do not end: total, parent and key, each [PLACES].

    Of equal totals the lower place wins, and within a place the earlier in its row's order: in this order lie the
    lanes by which equal totals are told apart.
    """
    o_place = tl.arange(0, PLACES)
    b_rank = _key(b_total, o_place[:, None] * PLACES + o_place[None, :])
    rank = tl.full([PLACES], NOTHING, tl.int64)
    key = tl.full([PLACES], NOTHING, tl.int64)
    for place in range(BEAM):
        best = tl.max(tl.max(b_rank, 1), 0)
        m_best = b_rank == best
        its_key = tl.max(tl.max(tl.where(m_best, b_key, NOTHING), 1), 0)
        rank = tl.where(o_place == place, best, rank)
        key = tl.where(o_place == place, its_key, key)
        b_rank = tl.where(m_best, NOTHING, b_rank)
    total = _value(rank)
    return total, tl.where(total > DEAD, _index(rank) // PLACES, 0), key


@triton.jit
def _outranks(total_a, place_a, key_a, total_b, place_b, key_b):
    m_earlier = (place_a < place_b) | ((place_a == place_b) & (key_a > key_b))
    return (total_a > total_b) | ((total_a == total_b) & m_earlier)


@triton.jit
def _score_of_rank(rank, old_rank, old_score, new_rank, new_score):
    """The score that comes at this rank among the old and the new finished hypotheses; -inf if none does."""
    found = tl.maximum(tl.where(old_rank == rank, old_score, DEAD), tl.where(new_rank == rank, new_score, DEAD))
    return tl.max(found, 0)


@triton.jit
def _inherit(
    ANCESTRY, slot, position, parent, max_steps, BEAM: tl.constexpr, PLACES: tl.constexpr, BLOCK_T: tl.constexpr
):
    """Give each hypothesis its parent's ancestry, then its parent's place, then its own."""
    o_place = tl.arange(0, PLACES)
    m_place = o_place < BEAM
    stride = max_steps + 1
    p_slot = ANCESTRY + slot.to(tl.int64) * BEAM * stride
    for start in range(0, position + 2, BLOCK_T):
        o_t = start + tl.arange(0, BLOCK_T)
        m_past = m_place[:, None] & (o_t < position)[None, :]
        b_past = tl.load(p_slot + parent[:, None] * stride + o_t[None, :], mask=m_past, other=0)  # [PLACES, BLOCK_T]
        b_last = tl.where((o_t == position)[None, :], parent[:, None], o_place[:, None])
        b_new = tl.where((o_t < position)[None, :], b_past, b_last)
        tl.debug_barrier()  # all have read these steps before any place's row is overwritten
        m_new = m_place[:, None] & (o_t < position + 2)[None, :]
        tl.store(p_slot + o_place[:, None] * stride + o_t[None, :], b_new, mask=m_new)


@triton.jit
def beam_step_merge_kernel(
    LOGITS,
    PEAKS,
    SUMS,
    KEYS,
    POSITIONS,
    STATUS,
    MAX_TOKENS,
    LOG_PROBS,
    LAST_TOKENS,
    TOKENS,
    PARENTS,
    ANCESTRY,
    FINISHED_LOG_PROBS,
    FINISHED_SCORES,
    FINISHED_STEPS,
    FINISHED_PLACES,
    BANNED,
    LENGTH_NORMS,
    stride_lr,
    num_tiles,
    max_steps,
    eos_id,
    min_tokens,
    n_best,
    stop,
    free_end,
    BEAM: tl.constexpr,
    PLACES: tl.constexpr,
    LANES: tl.constexpr,
    BLOCK_TILES: tl.constexpr,
    BLOCK_T: tl.constexpr,
):
    """One program is one slot: it merges the tiles of its rows and takes the search one step on."""
    slot = tl.program_id(0)
    if tl.load(STATUS + slot) == LIVE:
        o_place = tl.arange(0, PLACES)
        m_place = o_place < BEAM
        o_row = slot * BEAM + o_place
        position = tl.load(POSITIONS + slot)
        limit = tl.load(MAX_TOKENS + slot)
        log_prob = tl.load(LOG_PROBS + o_row, mask=m_place, other=DEAD)  # [PLACES], as all of the following
        old_score = tl.load(FINISHED_SCORES + o_row, mask=m_place, other=DEAD)
        old_log_prob = tl.load(FINISHED_LOG_PROBS + o_row, mask=m_place, other=DEAD)
        old_steps = tl.load(FINISHED_STEPS + o_row, mask=m_place, other=0)
        old_place = tl.load(FINISHED_PLACES + o_row, mask=m_place, other=0)
        tl.debug_barrier()  # what is overwritten below has now been read by every thread

        m_alive = log_prob > DEAD
        lse = _log_sum_exp(PEAKS, SUMS, o_row, m_alive, num_tiles, PLACES, BLOCK_TILES)
        m_broken = m_alive & ~(tl.abs(lse) < float("inf"))  # so written, it holds for NaN
        if tl.max(m_broken.to(tl.int32), 0) > 0:
            tl.store(STATUS + slot, NOT_A_NUMBER)
            tl.store(POSITIONS + slot, -1)
        else:
            # Candidates that do not end: each row's K best are enough, and of all those the K best live on.
            num_keys = tl.where(position + 1 < limit, num_tiles * BEAM, 0)
            b_key = _best_of_rows(KEYS, o_row, m_alive, num_tiles, num_keys, BEAM, PLACES, LANES)
            b_total = log_prob[:, None] + (_value(b_key) - lse[:, None])
            b_total = tl.where(m_alive[:, None], b_total, DEAD)  # [PLACES, PLACES]
            total, parent, key = _survivors(b_total, b_key, BEAM, PLACES)
            token = tl.where(total > DEAD, _index(key), eos_id)

            # Candidates that end, one a row. Rank: how many of all candidates are better.
            may_end = (position >= min_tokens) & (tl.load(BANNED + eos_id) == 0)
            p_end = LOGITS + o_row.to(tl.int64) * stride_lr + eos_id
            end_logit = tl.load(p_end, mask=m_alive, other=DEAD).to(tl.float32)
            end_key = _key(end_logit, eos_id)
            end_cost = tl.where((free_end != 0) & (position + 1 >= limit), 0.0, end_logit - lse)
            end_total = tl.where(m_alive, log_prob + end_cost, DEAD)
            end_total = tl.where(may_end, end_total, DEAD)
            b_better = _outranks(
                total[None, :], parent[None, :], key[None, :], end_total[:, None], o_place[:, None], end_key[:, None]
            )  # [ends, survivors]
            rank = tl.sum(b_better.to(tl.int32), 1)
            b_better = _outranks(
                end_total[None, :], o_place[None, :], end_key[None, :],
                end_total[:, None], o_place[:, None], end_key[:, None],
            )  # [ends, ends]  # fmt: skip
            rank += tl.sum(b_better.to(tl.int32), 1)

            # Those among the first K join the finished ones. Everyone's new rank is how many stay or come ahead.
            m_new = (end_total > DEAD) & (rank < BEAM)
            new_score = tl.where(m_new, tl.div_rn(end_total, tl.load(LENGTH_NORMS + position + 1)), DEAD)
            b_ahead = m_new[None, :] & (new_score[None, :] > old_score[:, None])  # [old, new]
            old_rank = o_place + tl.sum(b_ahead.to(tl.int32), 1)
            b_ahead = old_score[None, :] >= new_score[:, None]  # [new, old]: of equals the earlier stays ahead
            new_rank = tl.sum(b_ahead.to(tl.int32), 1)
            m_sooner = (new_score[None, :] == new_score[:, None]) & (rank[None, :] < rank[:, None])
            b_ahead = m_new[None, :] & ((new_score[None, :] > new_score[:, None]) | m_sooner)  # [new, new]
            new_rank += tl.sum(b_ahead.to(tl.int32), 1)
            m_old, m_new = old_rank < BEAM, m_new & (new_rank < BEAM)
            o_old, o_new = slot * BEAM + old_rank, slot * BEAM + new_rank
            tl.store(FINISHED_SCORES + o_old, old_score, mask=m_old)
            tl.store(FINISHED_SCORES + o_new, new_score, mask=m_new)
            tl.store(FINISHED_LOG_PROBS + o_old, old_log_prob, mask=m_old)
            tl.store(FINISHED_LOG_PROBS + o_new, end_total, mask=m_new)
            tl.store(FINISHED_STEPS + o_old, old_steps, mask=m_old)
            tl.store(FINISHED_STEPS + o_new, position + 1, mask=m_new)
            tl.store(FINISHED_PLACES + o_old, old_place, mask=m_old)
            tl.store(FINISHED_PLACES + o_new, o_place, mask=m_new)

            # Done: no survivor, or K finished and the rule stops there, or none that could enter the first n_best, were
            # it as long as it may be.
            best = tl.max(total, 0)
            last_kept = _score_of_rank(BEAM - 1, old_rank, old_score, new_rank, new_score)
            last_asked_for = _score_of_rank(n_best - 1, old_rank, old_score, new_rank, new_score)
            bound = tl.div_rn(best, tl.load(LENGTH_NORMS + limit))
            present = tl.div_rn(best, tl.load(LENGTH_NORMS + position + 1))
            m_stop = (stop == FULL) | ((stop == ESTIMATE) & (last_kept >= present))
            if (best == DEAD) | ((last_kept > DEAD) & m_stop) | (last_asked_for >= bound):
                tl.store(STATUS + slot, DONE)
                tl.store(POSITIONS + slot, -1)
            else:
                o_step = (slot.to(tl.int64) * max_steps + position) * BEAM + o_place
                tl.store(TOKENS + o_step, token, mask=m_place)
                tl.store(PARENTS + o_step, parent, mask=m_place)
                tl.store(LOG_PROBS + o_row, total, mask=m_place)
                tl.store(LAST_TOKENS + o_row, token.to(tl.int64), mask=m_place)
                tl.store(POSITIONS + slot, position + 1)
                if BEAM > 1:  # a beam of one has only place 0, from the start
                    _inherit(ANCESTRY, slot, position, parent, max_steps, BEAM, PLACES, BLOCK_T)
