"""Self-attention at decoding in Triton: append to the beam's cache, then attend to each hypothesis's own past in it.

Axes: R the hypotheses of a slot, BLOCK_R of them with padding; N the cache entries of a block; D the head size, padded
to HEAD. q, k, v and out are [slots * BEAM, heads, head size], the caches [slots, heads, entries, head size], with any
strides but the last, which is 1.

Prefixes: b_ a tile of numbers, p_ pointers, o_ offsets, m_ a mask. Scores are kept times log2(e), so that the softmax
takes powers of two.
"""

# mypy: disable-error-code="untyped-decorator, no-untyped-def"
# ruff: noqa: N803

import triton
import triton.language as tl

LOG2E = tl.constexpr(1.4426950408889634)


@triton.jit
def self_attention_decode_fwd_kernel(
    Q, K, V, K_CACHE, V_CACHE, OUT, ANCESTRY, POSITIONS,
    stride_qr, stride_qh, stride_kr, stride_kh, stride_vr, stride_vh, stride_or, stride_oh,
    stride_kcs, stride_kch, stride_kcn, stride_vcs, stride_vch, stride_vcn, stride_as, stride_ar, scale,
    BEAM: tl.constexpr, BLOCK_R: tl.constexpr, HEAD: tl.constexpr, HEAD_DIM: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    """One program for each (slot, head): all hypotheses of the slot over its cache entries.

    Entry n was written at step n // BEAM by place n % BEAM. It is hypothesis r's own if ANCESTRY[slot, r, step] names
    that place; an entry that is nobody's own is not even loaded.
    """
    slot, head = tl.program_id(0).to(tl.int64), tl.program_id(1).to(tl.int64)
    position = tl.load(POSITIONS + slot)
    o_r, o_n, o_d = tl.arange(0, BLOCK_R), tl.arange(0, BLOCK_N), tl.arange(0, HEAD)
    m_r, m_d = o_r < BEAM, (o_d < HEAD_DIM)[None, :]
    m_rd = m_r[:, None] & m_d
    row = slot * BEAM
    p_out = OUT + row * stride_or + head * stride_oh + o_r[:, None] * stride_or + o_d[None, :]
    if position < 0:
        tl.store(p_out, tl.zeros([BLOCK_R, HEAD], OUT.dtype.element_ty), mask=m_rd)
    else:
        # [R, HEAD]
        p_q = Q + row * stride_qr + head * stride_qh + o_r[:, None] * stride_qr + o_d[None, :]
        p_k = K + row * stride_kr + head * stride_kh + o_r[:, None] * stride_kr + o_d[None, :]
        p_v = V + row * stride_vr + head * stride_vh + o_r[:, None] * stride_vr + o_d[None, :]
        b_q = tl.load(p_q, mask=m_rd, other=0.0)
        b_new_k = tl.load(p_k, mask=m_rd, other=0.0)
        b_new_v = tl.load(p_v, mask=m_rd, other=0.0)
        # Entries lie within one slot and head, 64-bit offsets away from the next
        p_k_cache = K_CACHE + slot * stride_kcs + head * stride_kch
        p_v_cache = V_CACHE + slot * stride_vcs + head * stride_vch
        num_past = position * BEAM
        o_new = (num_past + o_r).to(tl.int64)[:, None]
        tl.store(p_k_cache + o_new * stride_kcn + o_d[None, :], b_new_k, mask=m_rd)
        tl.store(p_v_cache + o_new * stride_vcn + o_d[None, :], b_new_v, mask=m_rd)
        # The softmax starts from the hypothesis's own new token: it is never empty, and needs no reading back
        b_max = tl.sum(b_q.to(tl.float32) * b_new_k.to(tl.float32), 1) * (scale * LOG2E)
        b_sum = tl.full([BLOCK_R], 1.0, tl.float32)
        b_acc = b_new_v.to(tl.float32)
        p_ancestry = ANCESTRY + slot * stride_as + o_r[:, None] * stride_ar
        for start in range(0, num_past, BLOCK_N):
            o_entry = start + o_n
            m_entry = o_entry < num_past
            # [R, N]
            m_rn = m_r[:, None] & m_entry[None, :]
            b_place = tl.load(p_ancestry + (o_entry // BEAM)[None, :], mask=m_rn, other=-1)
            m_own = b_place == (o_entry % BEAM)[None, :]
            m_owned = tl.max(m_own.to(tl.int32), 0) > 0
            # [N, HEAD], then [R, N]
            o_cache, m_cache = o_entry.to(tl.int64)[:, None], m_owned[:, None] & m_d
            b_k = tl.load(p_k_cache + o_cache * stride_kcn + o_d[None, :], mask=m_cache, other=0.0)
            b_s = tl.dot(b_q, tl.trans(b_k), input_precision="ieee") * (scale * LOG2E)
            b_s = tl.where(m_own, b_s, -float("inf"))
            # What was summed so far was relative to the old maximum
            b_new_max = tl.maximum(b_max, tl.max(b_s, 1))
            b_shrink = tl.exp2(b_max - b_new_max)
            b_p = tl.exp2(b_s - b_new_max[:, None])
            b_sum = b_sum * b_shrink + tl.sum(b_p, 1)
            b_v = tl.load(p_v_cache + o_cache * stride_vcn + o_d[None, :], mask=m_cache, other=0.0)
            b_acc = tl.dot(b_p.to(b_v.dtype), b_v, b_acc * b_shrink[:, None], input_precision="ieee")
            b_max = b_new_max
        tl.store(p_out, (b_acc / b_sum[:, None]).to(OUT.dtype.element_ty), mask=m_rd)
