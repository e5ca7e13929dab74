"""Cross-attention at decoding in Triton: the hypotheses of a slot share one read of its source's keys and values.

Axes: R the hypotheses of a slot, BLOCK_R of them with padding; N the source rows of a block; D the head size, padded
to HEAD. q and out are [slots * BEAM, heads, head size], k and v [source rows, heads, head size], with any strides but
the last, which is 1.

Prefixes: b_ a tile of numbers, p_ pointers, o_ offsets, m_ a mask. Scores are kept times log2(e), so that the softmax
takes powers of two.
"""

# mypy: disable-error-code="untyped-decorator, no-untyped-def"
# ruff: noqa: N803

import triton
import triton.language as tl

LOG2E = tl.constexpr(1.4426950408889634)


@triton.jit
def cross_attention_decode_fwd_kernel(
    Q, K, V, OUT, PART_MAX, PART_SUM, PART_ACC, STARTS, LENGTHS,
    stride_qr, stride_qh, stride_kn, stride_kh, stride_vn, stride_vh, stride_or, stride_oh, scale,
    BEAM: tl.constexpr, BLOCK_R: tl.constexpr, HEAD: tl.constexpr, HEAD_DIM: tl.constexpr,
    BLOCK_N: tl.constexpr, ROWS_PER_SPLIT: tl.constexpr,
):  # fmt: skip
    """One program for each (slot, head, split): all hypotheses of the slot over ROWS_PER_SPLIT of its source rows.

    A source that fits one split is finished here. For a longer one each split leaves its maximum and its sums in
    PART_MAX, PART_SUM [slots, heads, splits, BEAM] and PART_ACC [..., HEAD_DIM], float32, for the combine kernel.
    Splits behind the source's end leave at once. The same code, compiled once, serves both cases, so a source's
    result has the same bits whatever the length of others in the batch.
    """
    slot, split = tl.program_id(0).to(tl.int64), tl.program_id(2)
    head = tl.program_id(1).to(tl.int64)
    length = tl.load(LENGTHS + slot)
    first = split * ROWS_PER_SPLIT
    # The first split of an empty slot stays: it runs no block, and stores zeros
    if (first < length) | (split == 0):
        o_r, o_n, o_d = tl.arange(0, BLOCK_R), tl.arange(0, BLOCK_N), tl.arange(0, HEAD)
        m_d = (o_d < HEAD_DIM)[None, :]
        m_rd = (o_r < BEAM)[:, None] & m_d
        # [R, HEAD]
        p_q = Q + slot * BEAM * stride_qr + head * stride_qh + o_r[:, None] * stride_qr + o_d[None, :]
        b_q = tl.load(p_q, mask=m_rd, other=0.0)
        b_max = tl.full([BLOCK_R], -1.0e30, tl.float32)
        b_sum = tl.zeros([BLOCK_R], tl.float32)
        b_acc = tl.zeros([BLOCK_R, HEAD], tl.float32)
        # Where the split starts is a 64-bit offset; within the split, 32 bits hold all offsets
        row = tl.load(STARTS + slot).to(tl.int64) + first
        p_k = K + row * stride_kn + head * stride_kh + o_n[:, None] * stride_kn + o_d[None, :]
        p_v = V + row * stride_vn + head * stride_vh + o_n[:, None] * stride_vn + o_d[None, :]
        rows_here = tl.minimum(length - first, ROWS_PER_SPLIT)
        for start in range(0, rows_here, BLOCK_N):
            m_n = start + o_n < rows_here
            # [N, HEAD], then [R, N]
            b_k = tl.load(p_k + start * stride_kn, mask=m_n[:, None] & m_d, other=0.0)
            b_s = tl.dot(b_q, tl.trans(b_k), input_precision="ieee") * (scale * LOG2E)
            b_s = tl.where(m_n[None, :], b_s, -float("inf"))
            # What was summed so far was relative to the old maximum
            b_new_max = tl.maximum(b_max, tl.max(b_s, 1))
            b_shrink = tl.exp2(b_max - b_new_max)
            b_p = tl.exp2(b_s - b_new_max[:, None])
            b_sum = b_sum * b_shrink + tl.sum(b_p, 1)
            b_v = tl.load(p_v + start * stride_vn, mask=m_n[:, None] & m_d, other=0.0)
            b_acc = tl.dot(b_p.to(b_v.dtype), b_v, b_acc * b_shrink[:, None], input_precision="ieee")
            b_max = b_new_max
        if length <= ROWS_PER_SPLIT:
            b_out = b_acc / tl.where(b_sum == 0.0, 1.0, b_sum)[:, None]
            p_out = OUT + slot * BEAM * stride_or + head * stride_oh + o_r[:, None] * stride_or + o_d[None, :]
            tl.store(p_out, b_out.to(OUT.dtype.element_ty), mask=m_rd)
        else:
            o_part = ((slot * tl.num_programs(1) + head) * tl.num_programs(2) + split) * BEAM + o_r
            tl.store(PART_MAX + o_part, b_max, mask=o_r < BEAM)
            tl.store(PART_SUM + o_part, b_sum, mask=o_r < BEAM)
            tl.store(PART_ACC + o_part[:, None] * HEAD_DIM + o_d[None, :], b_acc, mask=m_rd)


@triton.jit(do_not_specialize=["num_splits"])
def cross_attention_decode_combine_kernel(
    OUT, PART_MAX, PART_SUM, PART_ACC, LENGTHS, stride_or, stride_oh, num_splits,
    BEAM: tl.constexpr, HEAD: tl.constexpr, HEAD_DIM: tl.constexpr, ROWS_PER_SPLIT: tl.constexpr,
):  # fmt: skip
    """One program for each (hypothesis, head) of a source that was split: joins its parts, in their order."""
    query, head = tl.program_id(0).to(tl.int64), tl.program_id(1).to(tl.int64)
    slot = query // BEAM
    length = tl.load(LENGTHS + slot)
    if length > ROWS_PER_SPLIT:
        o_d = tl.arange(0, HEAD)
        m_d = o_d < HEAD_DIM
        o_part = (slot * tl.num_programs(1) + head) * num_splits * BEAM + query % BEAM
        highest = tl.load(PART_MAX + o_part)
        total = tl.load(PART_SUM + o_part)
        b_acc = tl.load(PART_ACC + o_part * HEAD_DIM + o_d, mask=m_d, other=0.0)
        for _ in range(ROWS_PER_SPLIT, length, ROWS_PER_SPLIT):
            o_part += BEAM
            part_max = tl.load(PART_MAX + o_part)
            new_highest = tl.maximum(highest, part_max)
            shrink, weight = tl.exp2(highest - new_highest), tl.exp2(part_max - new_highest)
            total = total * shrink + tl.load(PART_SUM + o_part) * weight
            b_part = tl.load(PART_ACC + o_part * HEAD_DIM + o_d, mask=m_d, other=0.0)
            b_acc = b_acc * shrink + b_part * weight
            highest = new_highest
        b_out = b_acc / total
        tl.store(OUT + query * stride_or + head * stride_oh + o_d, b_out.to(OUT.dtype.element_ty), mask=m_d)
