"""Loss of the output layer on a CPU, without ever holding all logits.

Rows are taken a chunk at a time: logits, loss and gradient while the chunk is in the processor's cache. The
gradient is thus computed in the forward pass, of the loss itself; backward scales it. What does not need every
logit is kept out of the chunks: with z = W h, the sum of z is h · (sum of W's rows), and the targets' share of
the gradient is added to a few rows at the end.

Axes: N target tokens, d model size, V vocabulary.
"""

import math
from typing import Any

import torch
from torch import Tensor

_CHUNK_ROWS = {"cpu": 512, "cuda": 8192}
_LARGEST_EXPONENT, _LARGEST_NORM = 80.0, 1000.0  # float32 goes from exp(-87) to exp(88): room for a norm beside


class _ChunkedLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        weight: Tensor,
        targets: Tensor,
        label_smoothing: float,
        dtype: torch.dtype,
        needs_grad: bool,
    ) -> tuple[Tensor, Tensor]:
        wide = torch.promote_types(dtype, torch.float32)
        h, w = states.detach().to(wide), weight.detach().to(wide)
        lse, grad_h, grad_w = _softmax_part(h, w, dtype, needs_grad)
        loss, nll = target_part(h, w, targets, label_smoothing, lse, grad_h, grad_w)
        if grad_h is not None and grad_w is not None:
            ctx.save_for_backward(grad_h.to(states.dtype), grad_w.to(weight.dtype))
        ctx.mark_non_differentiable(nll)
        return loss, nll

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        grad_h, grad_w = ctx.saved_tensors
        return grad_h * grad.to(grad_h.dtype), grad_w * grad.to(grad_w.dtype), None, None, None, None


def _softmax_part(
    h: Tensor, w: Tensor, dtype: torch.dtype, needs_grad: bool
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Log-sum-exp [N] of the logits, and the gradients of its sum: softmax(z) W [N, d] and softmax(z)ᵀ h [V, d]."""
    lse = h.new_empty(h.shape[0])
    grad_h = torch.empty_like(h) if needs_grad else None
    grad_w = torch.zeros_like(w) if needs_grad else None
    w_low = w.to(dtype)
    rows = _CHUNK_ROWS.get(h.device.type, 8192)
    could_overflow = dtype == torch.float16 or not _are_small(h, w)  # exponentials become float16, which ends at 65,504
    room = h.new_empty(min(rows, h.shape[0]), w.shape[0], dtype=dtype)  # new memory for each chunk would cost a sixth
    for start in range(0, h.shape[0], rows):
        h_part = h[start : start + rows]
        logits = torch.mm(h_part.to(dtype), w_low.t(), out=room[: h_part.shape[0]]).to(h.dtype)  # [rows, V]
        peak = logits.amax(1, keepdim=True) if could_overflow else None
        exps = (logits if peak is None else logits.sub_(peak)).exp_()
        total = exps.sum(1, keepdim=True)
        log_total = total.log()
        lse[start : start + rows] = (log_total if peak is None else log_total.add_(peak)).squeeze(1)
        if grad_h is not None and grad_w is not None:
            exps = exps if dtype == exps.dtype else room[: h_part.shape[0]].copy_(exps)
            grad_h[start : start + rows] = (exps @ w_low).to(h.dtype) / total
            h_low = (h_part / total).to(dtype)
            if dtype == grad_w.dtype:
                grad_w.addmm_(exps.t(), h_low)
            else:
                grad_w += exps.t() @ h_low
    return lse, grad_h, grad_w


def _are_small(h: Tensor, w: Tensor) -> bool:
    """Whether no exponential, nor a sum of them or a product with h or W, can overflow: |h · w| is at most |h| |w|."""
    if not h.numel() or h.device.type != "cpu" or torch.compiler.is_compiling():  # asking a GPU would wait for it
        return False
    of_h, of_w = (float(x.norm(dim=1).amax()) for x in (h, w))
    return max(of_h, of_w) < _LARGEST_NORM and of_h * of_w < _LARGEST_EXPONENT - math.log(w.shape[0])  # False for NaN


def target_part(
    h: Tensor,
    w: Tensor,
    targets: Tensor,
    label_smoothing: float,
    lse: Tensor,
    grad_h: Tensor | None,
    grad_w: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """The summed loss and the plain one, from the log-sum-exps [N] and what needs no logits; adds the targets' share
    and the smoothing's to the gradients of the log-sum-exps."""
    target_rows, row_sum, num_pieces = w.index_select(0, targets), w.sum(0), w.shape[0]
    nll = (lse - (h * target_rows).sum(1)).sum()
    to_mean = (lse - h @ row_sum / num_pieces).sum()
    if grad_h is not None and grad_w is not None:
        grad_h.sub_(target_rows, alpha=1 - label_smoothing).sub_(row_sum, alpha=label_smoothing / num_pieces)
        grad_w.index_add_(0, targets, h, alpha=label_smoothing - 1)
        grad_w.sub_(h.sum(0), alpha=label_smoothing / num_pieces)
    return (1 - label_smoothing) * nll + label_smoothing * to_mean, nll


def chunked_loss(
    states: Tensor, weight: Tensor, targets: Tensor, label_smoothing: float, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Same arguments and result as `linear_cross_entropy`."""
    needs_grad = torch.is_grad_enabled() and (states.requires_grad or weight.requires_grad)
    return _ChunkedLoss.apply(states, weight, targets, label_smoothing, dtype, needs_grad)  # type: ignore[no-any-return, no-untyped-call]
