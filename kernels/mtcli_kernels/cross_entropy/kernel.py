"""Cross-entropy over rows of logits: the loss in one sweep, and the gradient written over the logits.

Axes: N rows, one for each target token; V vocabulary, in blocks of BLOCK_V. Prefixes: b_ block, p_ pointer,
o_ offset, m_ mask. Everything is float32 once loaded.
"""

# mypy: disable-error-code="untyped-decorator, no-untyped-def"
# ruff: noqa: N803
import triton
import triton.language as tl

LOG2E = tl.constexpr(1.4426950408889634)
LN2 = tl.constexpr(0.6931471805599453)


@triton.jit
def cross_entropy_fwd_kernel(
    LOGITS,
    TARGETS,
    LOSS,
    NLL,
    LSE,
    stride_ln,
    vocab_size,
    label_smoothing,
    ignore_index,
    BLOCK_V: tl.constexpr,
):
    """One program is one row: smoothed loss, plain loss and log-sum-exp from a single sweep over its logits."""
    row = tl.program_id(0).to(tl.int64)  # row * stride passes 2^31 from 64k rows of 32k logits on
    target = tl.load(TARGETS + row)
    is_ignored = target == ignore_index
    is_known = (target >= 0) & (target < vocab_size)
    num_read = tl.where(is_ignored, 0, vocab_size)  # an ignored row is never read
    p_row = LOGITS + row * stride_ln
    o_block = tl.arange(0, BLOCK_V)

    # Online softmax: `total` is the sum of exp(z - peak) so far; a new peak rescales it.
    peak = -1.0e30  # finite, so that a row of -inf meets no -inf - -inf before the end
    total = 0.0
    logit_sum = 0.0
    for start in range(0, num_read, BLOCK_V):
        o_v = start + o_block
        b_z = tl.load(p_row + o_v, mask=o_v < num_read, other=-float("inf")).to(tl.float32)  # [BLOCK_V]
        new_peak = tl.maximum(peak, tl.max(b_z, 0))
        total *= tl.exp2((peak - new_peak) * LOG2E)
        total += tl.sum(tl.exp2((b_z - new_peak) * LOG2E), 0)
        logit_sum += tl.sum(tl.where(o_v < num_read, b_z, 0.0), 0)
        peak = new_peak

    # A target outside the vocabulary reads nothing and makes its row NaN: the host cannot look without waiting.
    z_target = tl.load(p_row + target, mask=is_known, other=float("nan")).to(tl.float32)
    log_total = tl.log2(tl.where(is_ignored, 1.0, total)) * LN2
    nll = (peak - z_target) + log_total  # large logits cancel here before anything small is added
    to_mean = (peak - logit_sum / vocab_size) + log_total
    # Not 0 * to_mean: that would be NaN beside a banned token's logit of -inf.
    loss = tl.where(label_smoothing == 0.0, nll, (1.0 - label_smoothing) * nll + label_smoothing * to_mean)
    lse = tl.where(is_known, peak + log_total, float("nan"))
    tl.store(LOSS + row, tl.where(is_ignored, 0.0, loss))
    tl.store(NLL + row, tl.where(is_ignored, 0.0, nll))
    tl.store(LSE + row, tl.where(is_ignored, float("inf"), lse))


@triton.jit
def cross_entropy_bwd_kernel(
    LOGITS,
    TARGETS,
    LSE,
    GRAD_LOSS,
    stride_ln,
    vocab_size,
    label_smoothing,
    ignore_index,
    BLOCK_V: tl.constexpr,
):
    """One program is one block of one row: each logit is read once and its gradient takes its place.

    With the log-sum-exp known, no program needs a logit of another, so the order in which they run is free.
    """
    num_blocks = tl.cdiv(vocab_size, BLOCK_V)
    row = (tl.program_id(0) // num_blocks).to(tl.int64)
    o_v = (tl.program_id(0) % num_blocks) * BLOCK_V + tl.arange(0, BLOCK_V)
    target = tl.load(TARGETS + row)
    is_ignored = target == ignore_index
    lse = tl.load(LSE + row)
    grad_loss = tl.where(is_ignored, 0.0, tl.load(GRAD_LOSS + row))
    num_read = tl.where(is_ignored, 0, vocab_size)
    p_z = LOGITS + row * stride_ln + o_v

    b_z = tl.load(p_z, mask=o_v < num_read, other=-float("inf")).to(tl.float32)  # [BLOCK_V]
    b_grad = tl.exp2((b_z - lse) * LOG2E) - label_smoothing / vocab_size
    b_grad = tl.where(o_v == target, b_grad - (1.0 - label_smoothing), b_grad) * grad_loss
    tl.store(p_z, b_grad.to(LOGITS.dtype.element_ty), mask=o_v < vocab_size)
