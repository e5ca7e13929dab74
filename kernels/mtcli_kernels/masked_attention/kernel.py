"""Masked attention in Triton: over intervals of packed rows, with gradients; and anchored at each sentence, without.

Axes: M the queries of a tile, N the keys of a tile, D the head size, padded to HEAD. q, k, v and out are
[tokens, heads, head size] with any strides but the last, which is 1.

Prefixes: b_ a tile of numbers, p_ pointers, o_ offsets (rows), m_ a mask. Scores are kept times log2(e), so that
the softmax takes powers of two; LSE is the base-2 logarithm of each query's sum of 2^score.
"""
# mypy: disable-error-code="untyped-decorator, no-untyped-def, no-untyped-call"
# ruff: noqa: N803

import triton
import triton.language as tl

LOG2E = tl.constexpr(1.4426950408889634)
NOTHING = tl.constexpr(2**31 - 1)  # as in packing.py: the `lo` of a query that sees no key


@triton.jit
def _load_rows(BASE, o_rows, m_rows, stride_t, HEAD: tl.constexpr, HEAD_DIM: tl.constexpr):
    """[rows, HEAD] of one head; zeros behind HEAD_DIM and where the mask is off."""
    o_d = tl.arange(0, HEAD)
    p_rows = BASE + o_rows.to(tl.int64)[:, None] * stride_t + o_d[None, :]
    return tl.load(p_rows, mask=m_rows[:, None] & (o_d < HEAD_DIM)[None, :], other=0.0)


@triton.jit
def _store_rows(BASE, b_rows, o_rows, m_rows, stride_t, HEAD: tl.constexpr, HEAD_DIM: tl.constexpr):
    o_d = tl.arange(0, HEAD)
    p_rows = BASE + o_rows.to(tl.int64)[:, None] * stride_t + o_d[None, :]
    tl.store(p_rows, b_rows.to(BASE.dtype.element_ty), mask=m_rows[:, None] & (o_d < HEAD_DIM)[None, :])


@triton.jit
def _attend(
    b_q, K, V, lo, hi, stride_kt, stride_vt, scale,
    HEAD: tl.constexpr, HEAD_DIM: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    """Online softmax (Milakov and Gimelshein 2018) of b_q [M, HEAD] over keys lo[m] <= n < hi[m] of one head.

    Gives the attention's output [M, HEAD] and LSE [M], both float32; 0 and +inf for a query that sees nothing.
    """
    b_acc = tl.zeros([BLOCK_M, HEAD], tl.float32)
    b_max = tl.full([BLOCK_M], -1.0e30, tl.float32)  # not -inf: where nothing is seen, -inf - -inf would be NaN
    b_sum = tl.zeros([BLOCK_M], tl.float32)
    end = tl.max(hi, 0)
    first = tl.minimum(tl.min(lo, 0), end)  # not NOTHING: a prefetch of the block after it would wrap around
    all_lo, all_hi = tl.max(lo, 0), tl.min(hi, 0)  # keys that every query of the tile sees, and need no mask
    for start in range(first, end, BLOCK_N):
        o_n = start + tl.arange(0, BLOCK_N)
        b_k = _load_rows(K, o_n, o_n < end, stride_kt, HEAD, HEAD_DIM)  # [N, HEAD]
        b_s = tl.dot(b_q, tl.trans(b_k), input_precision="ieee") * (scale * LOG2E)  # [M, N]
        if (start < all_lo) | (start + BLOCK_N > all_hi):
            b_s = tl.where((o_n[None, :] >= lo[:, None]) & (o_n[None, :] < hi[:, None]), b_s, -float("inf"))
        # What was summed so far was relative to the old maximum
        b_new_max = tl.maximum(b_max, tl.max(b_s, 1))
        b_shrink = tl.exp2(b_max - b_new_max)
        b_p = tl.exp2(b_s - b_new_max[:, None])
        b_sum = b_sum * b_shrink + tl.sum(b_p, 1)
        b_v = _load_rows(V, o_n, o_n < end, stride_vt, HEAD, HEAD_DIM)
        b_acc = tl.dot(b_p.to(b_v.dtype), b_v, b_acc * b_shrink[:, None], input_precision="ieee")
        b_max = b_new_max
    m_blind = b_sum == 0.0
    b_sum = tl.where(m_blind, 1.0, b_sum)
    return b_acc / b_sum[:, None], tl.where(m_blind, float("inf"), b_max + tl.log2(b_sum))


@triton.jit(do_not_specialize=["num_queries"])
def masked_attention_fwd_kernel(
    Q, K, V, OUT, LSE, LO, HI,
    stride_qt, stride_qh, stride_kt, stride_kh, stride_vt, stride_vh, stride_ot, stride_oh, num_queries, scale,
    HEAD: tl.constexpr, HEAD_DIM: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    """OUT and LSE [heads, queries] of BLOCK_M packed queries of one head, whatever sentences they belong to."""
    head = tl.program_id(1).to(tl.int64)
    o_m = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    m_m = o_m < num_queries
    lo = tl.load(LO + o_m, mask=m_m, other=NOTHING)
    hi = tl.load(HI + o_m, mask=m_m, other=0)
    b_q = _load_rows(Q + head * stride_qh, o_m, m_m, stride_qt, HEAD, HEAD_DIM)
    b_out, b_lse = _attend(
        b_q, K + head * stride_kh, V + head * stride_vh, lo, hi, stride_kt, stride_vt, scale,
        HEAD, HEAD_DIM, BLOCK_M, BLOCK_N,
    )  # fmt: skip
    _store_rows(OUT + head * stride_oh, b_out, o_m, m_m, stride_ot, HEAD, HEAD_DIM)
    tl.store(LSE + head * num_queries + o_m, b_lse, mask=m_m)


@triton.jit
def masked_attention_anchored_fwd_kernel(
    Q, K, V, OUT, Q_STARTS, Q_LENGTHS, K_STARTS, K_LENGTHS,
    stride_qt, stride_qh, stride_kt, stride_kh, stride_vt, stride_vh, stride_ot, stride_oh, scale,
    CAUSAL: tl.constexpr, HEAD: tl.constexpr, HEAD_DIM: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    """OUT of up to BLOCK_M queries of one sentence and head; both kinds of tile are counted from its own start."""
    sentence = tl.program_id(0)
    head = tl.program_id(2).to(tl.int64)
    q_length = tl.load(Q_LENGTHS + sentence).to(tl.int32)
    k_length = tl.load(K_LENGTHS + sentence).to(tl.int32)
    first = tl.program_id(1) * BLOCK_M
    if first >= q_length:
        return
    q_start = tl.load(Q_STARTS + sentence)
    k_start = tl.load(K_STARTS + sentence)
    o_m = first + tl.arange(0, BLOCK_M)
    m_m = o_m < q_length
    lo = tl.zeros([BLOCK_M], tl.int32)
    hi = lo + k_length
    if CAUSAL:
        hi = tl.minimum(hi, o_m + 1)
    b_q = _load_rows(Q + q_start * stride_qt + head * stride_qh, o_m, m_m, stride_qt, HEAD, HEAD_DIM)
    b_out, _ = _attend(
        b_q, K + k_start * stride_kt + head * stride_kh, V + k_start * stride_vt + head * stride_vh,
        lo, hi, stride_kt, stride_vt, scale, HEAD, HEAD_DIM, BLOCK_M, BLOCK_N,
    )  # fmt: skip
    _store_rows(OUT + q_start * stride_ot + head * stride_oh, b_out, o_m, m_m, stride_ot, HEAD, HEAD_DIM)


@triton.jit(do_not_specialize=["num_queries"])
def masked_attention_bwd_delta_kernel(
    OUT, DOUT, DELTA, stride_ot, stride_oh, stride_dot, stride_doh, num_queries,
    HEAD: tl.constexpr, HEAD_DIM: tl.constexpr, BLOCK_M: tl.constexpr,
):  # fmt: skip
    """DELTA[h, t] = out . dout: what the softmax's gradient subtracts in every score of a query."""
    head = tl.program_id(1).to(tl.int64)
    o_m = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    m_m = o_m < num_queries
    b_out = _load_rows(OUT + head * stride_oh, o_m, m_m, stride_ot, HEAD, HEAD_DIM).to(tl.float32)
    b_dout = _load_rows(DOUT + head * stride_doh, o_m, m_m, stride_dot, HEAD, HEAD_DIM).to(tl.float32)
    tl.store(DELTA + head * num_queries + o_m, tl.sum(b_out * b_dout, 1), mask=m_m)


@triton.jit(do_not_specialize=["num_queries"])
def masked_attention_bwd_dq_kernel(
    Q, K, V, DOUT, LSE, DELTA, DQ, LO, HI,
    stride_qt, stride_qh, stride_kt, stride_kh, stride_vt, stride_vh, stride_dot, stride_doh, stride_dqt, stride_dqh,
    num_queries, scale,
    HEAD: tl.constexpr, HEAD_DIM: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    """DQ of BLOCK_M packed queries of one head: dq = scale * ds k, where ds = p (dout v^T - delta)."""
    head = tl.program_id(1).to(tl.int64)
    o_m = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    m_m = o_m < num_queries
    lo = tl.load(LO + o_m, mask=m_m, other=NOTHING)
    hi = tl.load(HI + o_m, mask=m_m, other=0)
    b_lse = tl.load(LSE + head * num_queries + o_m, mask=m_m, other=float("inf"))
    b_delta = tl.load(DELTA + head * num_queries + o_m, mask=m_m, other=0.0)
    # [M, HEAD]
    b_q = _load_rows(Q + head * stride_qh, o_m, m_m, stride_qt, HEAD, HEAD_DIM)
    b_dout = _load_rows(DOUT + head * stride_doh, o_m, m_m, stride_dot, HEAD, HEAD_DIM)
    b_dq = tl.zeros([BLOCK_M, HEAD], tl.float32)
    end = tl.max(hi, 0)
    first = tl.minimum(tl.min(lo, 0), end)
    for start in range(first, end, BLOCK_N):
        o_n = start + tl.arange(0, BLOCK_N)
        # [N, HEAD]
        b_k = _load_rows(K + head * stride_kh, o_n, o_n < end, stride_kt, HEAD, HEAD_DIM)
        b_v = _load_rows(V + head * stride_vh, o_n, o_n < end, stride_vt, HEAD, HEAD_DIM)
        # [M, N]
        b_s = tl.dot(b_q, tl.trans(b_k), input_precision="ieee") * (scale * LOG2E)
        m_seen = (o_n[None, :] >= lo[:, None]) & (o_n[None, :] < hi[:, None])
        b_p = tl.where(m_seen, tl.exp2(b_s - b_lse[:, None]), 0.0)
        b_dp = tl.dot(b_dout, tl.trans(b_v), input_precision="ieee")
        b_ds = b_p * (b_dp - b_delta[:, None])
        b_dq = tl.dot(b_ds.to(b_k.dtype), b_k, b_dq, input_precision="ieee")
    _store_rows(DQ + head * stride_dqh, b_dq * scale, o_m, m_m, stride_dqt, HEAD, HEAD_DIM)


@triton.jit(do_not_specialize=["num_queries", "num_keys"])
def masked_attention_bwd_dkdv_kernel(
    Q, K, V, DOUT, LSE, DELTA, DK, DV, LO, HI, QUERY_LO, QUERY_HI,
    stride_qt, stride_qh, stride_kt, stride_kh, stride_vt, stride_vh, stride_dot, stride_doh,
    stride_dkt, stride_dkh, stride_dvt, stride_dvh, num_queries, num_keys, scale,
    HEAD: tl.constexpr, HEAD_DIM: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    """DK and DV of BLOCK_N packed keys of one head: dv = p^T dout, dk = scale * ds^T q.

    The program that owns a key adds up all its queries, in their order: no atomics, the same bits in every run.
    Tiles are kept transposed, [N, M], so that p and ds need not be turned for the two products.
    """
    head = tl.program_id(1).to(tl.int64)
    o_n = tl.program_id(0) * BLOCK_N + tl.arange(0, BLOCK_N)
    m_n = o_n < num_keys
    # [N, HEAD]
    b_k = _load_rows(K + head * stride_kh, o_n, m_n, stride_kt, HEAD, HEAD_DIM)
    b_v = _load_rows(V + head * stride_vh, o_n, m_n, stride_vt, HEAD, HEAD_DIM)
    b_dk = tl.zeros([BLOCK_N, HEAD], tl.float32)
    b_dv = tl.zeros([BLOCK_N, HEAD], tl.float32)
    # All queries that see a key of the tile lie here; each one's own lo and hi say which keys it sees
    end = tl.max(tl.load(QUERY_HI + o_n, mask=m_n, other=0), 0)
    first = tl.minimum(tl.min(tl.load(QUERY_LO + o_n, mask=m_n, other=NOTHING), 0), end)
    for start in range(first, end, BLOCK_M):
        o_m = start + tl.arange(0, BLOCK_M)
        m_m = o_m < end
        lo = tl.load(LO + o_m, mask=m_m, other=NOTHING)
        hi = tl.load(HI + o_m, mask=m_m, other=0)
        b_lse = tl.load(LSE + head * num_queries + o_m, mask=m_m, other=float("inf"))
        b_delta = tl.load(DELTA + head * num_queries + o_m, mask=m_m, other=0.0)
        # [M, HEAD]
        b_q = _load_rows(Q + head * stride_qh, o_m, m_m, stride_qt, HEAD, HEAD_DIM)
        b_dout = _load_rows(DOUT + head * stride_doh, o_m, m_m, stride_dot, HEAD, HEAD_DIM)
        # [N, M]
        b_s = tl.dot(b_k, tl.trans(b_q), input_precision="ieee") * (scale * LOG2E)
        m_seen = (o_n[:, None] >= lo[None, :]) & (o_n[:, None] < hi[None, :])
        b_p = tl.where(m_seen, tl.exp2(b_s - b_lse[None, :]), 0.0)
        b_dv = tl.dot(b_p.to(b_dout.dtype), b_dout, b_dv, input_precision="ieee")
        b_dp = tl.dot(b_v, tl.trans(b_dout), input_precision="ieee")
        b_ds = b_p * (b_dp - b_delta[None, :])
        b_dk = tl.dot(b_ds.to(b_q.dtype), b_q, b_dk, input_precision="ieee")
    _store_rows(DK + head * stride_dkh, b_dk * scale, o_n, m_n, stride_dkt, HEAD, HEAD_DIM)
    _store_rows(DV + head * stride_dvh, b_dv, o_n, m_n, stride_dvt, HEAD, HEAD_DIM)
