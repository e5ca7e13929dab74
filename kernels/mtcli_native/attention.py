"""Attention of one query to entries that may lie anywhere: their addresses are all that is asked for.

An entry holds the keys of all heads, then their values. In encoder-decoder attention the entries are the source's
tokens, projected once a sentence; in the decoder's self-attention they are a hypothesis's ancestors, which lie where
each wrote its own and never move. Scores are summed lane by lane over a head's width and then across lanes, values
token by token: the order depends on the entries alone.
"""

import numpy as np
from llvmlite import ir
from numba.extending import intrinsic

from mtcli_native.vectors import (
    FLOAT,
    I32,
    I64,
    INT,
    IS_CHECKED,
    V16F,
    VOID,
    add,
    check,
    constant,
    exp,
    fma,
    fused,
    jit,
    lanes_or,
    larger,
    load,
    load_at,
    load_float,
    load_int,
    max_of,
    mul,
    never_inlined,
    number,
    same,
    splat,
    store,
    store_at,
    store_float,
    store_int,
    sub,
    sum_of,
    vector_below,
)

f32, i64 = np.float32, np.int64
_MOST_VECTORS = 8
"""Vectors of a head that are kept in registers: wider heads are taken part by part."""


def _loop(builder, count):  # type: ignore[no-untyped-def]
    """Begin a loop over 0 ... count - 1, count at least 1; returns the block before, the index, and how to end it."""
    before, body = builder.block, builder.append_basic_block("entries")
    after = builder.append_basic_block("entries_done")
    builder.branch(body)
    builder.position_at_end(body)
    index = builder.phi(I64)
    index.add_incoming(number(0), before)

    def end():  # type: ignore[no-untyped-def]
        following = builder.add(index, number(1))
        index.add_incoming(following, builder.block)
        builder.cbranch(builder.icmp_signed("<", following, count), body, after)
        builder.position_at_end(after)

    return before, body, index, end


def _score(builder, query, p_key):  # type: ignore[no-untyped-def]
    """Lane by lane, the products of a query and a key added up over the head's vectors."""
    total = builder.fmul(query[0], load_at(builder, p_key, V16F))
    for v in range(1, len(query)):
        total = fused(builder, query[v], load_at(builder, builder.add(p_key, number(64 * v)), V16F), total)
    return total


def _shuffled(builder, a, b, lanes):  # type: ignore[no-untyped-def]
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(I32, len(lanes)), lanes))


def _fold_four(builder, a, b, c, d):  # type: ignore[no-untyped-def]
    """[4] what `fold` makes of each of four vectors, by the same additions, done for all at once."""
    low, high = [*range(8)], [*range(8, 16)]

    def halves(x, y):  # type: ignore[no-untyped-def]
        """Eight lanes of x, then eight of y: each with what lies eight lanes behind."""
        first = _shuffled(builder, x, y, [*low, *(16 + lane for lane in low)])
        return builder.fadd(first, _shuffled(builder, x, y, [*high, *(16 + lane for lane in high)]))

    ab, cd = halves(a, b), halves(c, d)
    first = _shuffled(builder, ab, cd, [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27])
    fours = builder.fadd(
        first, _shuffled(builder, ab, cd, [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31])
    )
    for apart in (2, 1):
        fours = builder.fadd(
            fours, _shuffled(builder, fours, fours, [4 * (i // 4) + (i + apart) % 4 for i in range(16)])
        )
    return _shuffled(builder, fours, fours, [0, 4, 8, 12])


def _emit_scores(builder, vectors, p_query, p_addresses, offset, count, scale, p_scores):  # type: ignore[no-untyped-def]
    """Four entries at a time; of those behind the last there is an address too, of any entry."""
    query = [load_at(builder, builder.add(p_query, number(64 * v)), V16F) for v in range(vectors)]
    blocks = builder.sdiv(builder.add(count, number(3)), number(4))
    _, _, index, end = _loop(builder, blocks)
    p_block = builder.add(p_addresses, builder.mul(index, number(32)))
    keys = [load_at(builder, builder.add(p_block, number(8 * i)), I64, 8) for i in range(4)]
    totals = [_score(builder, query, builder.add(p_key, offset)) for p_key in keys]
    four = _fold_four(builder, *totals)
    store_at(
        builder,
        builder.add(p_scores, builder.mul(index, number(16))),
        builder.fmul(four, splat(builder, scale, four.type)),
    )
    end()


def _emit_values(builder, vectors, p_probs, p_addresses, offset, count, p_out):  # type: ignore[no-untyped-def]
    before, body, index, end = _loop(builder, count)
    sums = [builder.phi(V16F) for _ in range(vectors)]
    p_value = load_at(builder, builder.add(p_addresses, builder.mul(index, number(8))), I64, 8)
    p_value = builder.add(p_value, offset)
    prob = splat(builder, load_at(builder, builder.add(p_probs, builder.mul(index, number(4))), ir.FloatType()))
    for v, total in enumerate(sums):
        longer = fused(builder, prob, load_at(builder, builder.add(p_value, number(64 * v)), V16F), total)
        total.add_incoming(constant(0.0), before)
        total.add_incoming(longer, body)
        sums[v] = longer
    end()
    for v, total in enumerate(sums):
        store_at(builder, builder.add(p_out, number(64 * v)), total)


def _by_width(emit):  # type: ignore[no-untyped-def]
    """What writes `emit` for 1 to 8 vectors, each number with code of its own."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        end = builder.append_basic_block("width_done")
        choice = builder.switch(values[0], end)
        for vectors in range(1, _MOST_VECTORS + 1):
            block = builder.append_basic_block(f"vectors_{vectors}")
            choice.add_case(number(vectors), block)
            builder.position_at_end(block)
            emit(builder, vectors, *values[1:])
            builder.branch(end)
        builder.position_at_end(end)
        return context.get_dummy_value()

    return generate


@intrinsic
def _scores(context, vectors, p_query, p_addresses, offset, count, scale, p_scores):  # type: ignore[no-untyped-def]
    """Of each entry, query . key x scale, for a head of so many vectors."""
    return VOID(INT, INT, INT, INT, INT, FLOAT, INT), _by_width(_emit_scores)


@intrinsic
def _values(context, vectors, p_probs, p_addresses, offset, count, p_out):  # type: ignore[no-untyped-def]
    """The sum over entries of prob x value, for a head of so many vectors."""
    return VOID(INT, INT, INT, INT, INT, INT), _by_width(_emit_values)


@jit
def _scores_of_wide_head(width, p_query, p_addresses, offset, count, scale, p_scores):
    for t in range(count):
        p_key, total = load_int(p_addresses + 8 * t) + offset, same(f32(0))
        for j in range(0, width * 4, 64):
            total = fma(load(p_query + j), load(p_key + j), total)
        store_float(p_scores + 4 * t, sum_of(total) * scale)


@jit
def _softmax(p_scores, count):
    """Scores into shares that add up to 1, in place; behind the last come zeros, to the end of a vector."""
    never, greatest = same(f32(-1e30)), same(f32(-1e30))
    for t in range(0, count, 16):
        greatest = larger(lanes_or(load(p_scores + 4 * t), count - t, never), greatest)
    top, total = same(max_of(greatest)), same(f32(0))
    for t in range(0, count, 16):
        share = vector_below(exp(sub(load(p_scores + 4 * t), top)), count - t)
        store(p_scores + 4 * t, share)
        total = add(total, share)
    scale = same(f32(1.0) / sum_of(total))
    for t in range(0, count, 16):
        store(p_scores + 4 * t, mul(load(p_scores + 4 * t), scale))


@jit
def attend(p_query, count, side, p_out, work):
    """One row [heads x head width]: for each head, the values of `count` entries, weighed by softmax of q . k.

    The entries' addresses are in the workspace, `work.p_addresses`. The weights are left in `work.p_probs`, those of a
    head behind those of the head before, each a whole number of vectors. First come all heads' scores: so that none is
    read back while it is still being written.
    """
    never_inlined()
    width, inner = side.head_width, side.heads * side.head_width * 4
    vectors, stride = width // 16, (count + 15) // 16 * 64
    for t in range(count, (count + 3) // 4 * 4):
        store_int(work.p_addresses + 8 * t, load_int(work.p_addresses))
    if IS_CHECKED:
        for t in range(count):
            check(load_int(work.p_addresses + 8 * t), 2 * inner)
        check(p_query, inner)
        check(p_out, inner)
        check(work.p_probs, side.heads * stride)
    for head in range(side.heads):
        offset, p_probs = head * width * 4, work.p_probs + head * stride
        if vectors <= _MOST_VECTORS:
            _scores(vectors, p_query + offset, work.p_addresses, offset, count, side.head_scale, p_probs)
        else:
            _scores_of_wide_head(width, p_query + offset, work.p_addresses, offset, count, side.head_scale, p_probs)
    for head in range(side.heads):
        _softmax(work.p_probs + head * stride, count)
    for head in range(side.heads):
        done = i64(0)
        while done < vectors:
            some, at = min(i64(_MOST_VECTORS), vectors - done), head * width * 4 + done * 64
            _values(some, work.p_probs + head * stride, work.p_addresses, inner + at, count, p_out + at)
            done += some


@jit
def add_weights(count, side, p_out, work):
    """Add to `count` numbers how much the last `attend` looked at each entry, averaged over heads."""
    stride, share = (count + 15) // 16 * 64, f32(1.0) / f32(side.heads)
    for head in range(side.heads):
        for t in range(count):
            weight = load_float(work.p_probs + head * stride + 4 * t)
            store_float(p_out + 4 * t, load_float(p_out + 4 * t) + weight * share)
