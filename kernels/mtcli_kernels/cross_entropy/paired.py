"""Loss of an output layer that has read every sentence twice, with different dropout (R-Drop, Liang et al. 2021).

The two predictions of a token, p and q, are to be right, and to agree:

    loss = (CE(p) + CE(q)) / 2  +  a (KL(p||q) + KL(q||p)) / 4

As in chunked.py the gradient is computed along with the loss, a chunk of rows at a time, from the same logits. With
u = log p, v = log q, D = u - v and K = sum of p D = KL(p||q), half the symmetric divergence is half the sum of
(p - q) D, and its gradient by p's logits is (p (D - K) + p - q) / 2.

Axes: N target tokens, d model size, V vocabulary.
"""

from typing import Any

import torch
from torch import Tensor

from mtcli_kernels.cross_entropy.api import check_loss_arguments, check_target_range
from mtcli_kernels.cross_entropy.chunked import target_part

_CHUNK_ROWS = {"cpu": 256, "cuda": 4096}  # of each half


class _PairedLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        weight: Tensor,
        targets: Tensor,
        label_smoothing: float,
        consistency: float,
        dtype: torch.dtype,
        needs_grad: bool,
    ) -> tuple[Tensor, Tensor]:
        wide = torch.promote_types(dtype, torch.float32)
        h, w = states.detach().to(wide), weight.detach().to(wide)
        lse, divergence, grad_h, grad_w = _softmax_part(h, w, consistency, dtype, needs_grad)
        loss, nll = target_part(h, w, targets.repeat(2), label_smoothing, lse, grad_h, grad_w)
        if grad_h is not None and grad_w is not None:
            ctx.save_for_backward(grad_h.to(states.dtype), grad_w.to(weight.dtype))
        nll = nll / 2
        ctx.mark_non_differentiable(nll)
        return loss / 2 + consistency / 2 * divergence, nll

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        grad_h, grad_w = ctx.saved_tensors
        half = grad / 2
        return grad_h * half.to(grad_h.dtype), grad_w * half.to(grad_w.dtype), None, None, None, None, None


def _softmax_part(
    h: Tensor, w: Tensor, consistency: float, dtype: torch.dtype, needs_grad: bool
) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    """What needs every logit: log-sum-exp [2N], half the symmetric divergence summed, and the gradients of
    sum(lse) + a divergence by h [2N, d] and w [V, d]."""
    num_tokens = h.shape[0] // 2
    lse, divergence = h.new_empty(2 * num_tokens), h.new_zeros(())
    grad_h = torch.empty_like(h) if needs_grad else None
    grad_w = torch.zeros_like(w) if needs_grad else None
    w_low = w.to(dtype)
    rows = _CHUNK_ROWS.get(h.device.type, 4096)
    for start in range(0, num_tokens, rows):
        stop = min(start + rows, num_tokens)
        halves = [slice(start, stop), slice(num_tokens + start, num_tokens + stop)]
        logs = []
        for half in halves:
            logits = (h[half].to(dtype) @ w_low.t()).to(h.dtype)  # [rows, V]
            lse[half] = logits.logsumexp(1)
            logs.append(logits.sub_(lse[half, None]))
        probabilities = [log.exp() for log in logs]
        apart = logs[0].sub_(logs[1])  # log p - log q
        for sign, half, p, q in zip((1, -1), halves, probabilities, reversed(probabilities), strict=True):
            toward = torch.linalg.vecdot(p, apart).mul_(sign)[:, None]  # KL(p||q)
            divergence += toward.sum() / 2
            if grad_h is not None and grad_w is not None:
                # p + a (p (sign apart - KL) + p - q) / 2
                factor = (apart * sign).sub_(toward).add_(1).mul_(consistency / 2).add_(1)
                slope = factor.mul_(p).sub_(q, alpha=consistency / 2).to(dtype)
                grad_h[half] = (slope @ w_low).to(h.dtype)
                grad_w += slope.t() @ h[half].to(dtype)
    return lse, divergence, grad_h, grad_w


def paired_linear_cross_entropy(
    states: Tensor,
    weight: Tensor,
    targets: Tensor,
    *,
    label_smoothing: float,
    consistency: float,
    dtype: torch.dtype = torch.float32,
) -> tuple[Tensor, Tensor]:
    """Label-smoothed cross-entropy of two readings of the same sentences and their divergence, summed, in nats.

    Plain PyTorch on every device.

    Args:
        states: [2N, d] floating point: the decoder's states of the first reading, then those of the second.
        weight: [V, d] floating point, the output matrix.
        targets: [N] int64, each from 0 to V - 1: what both are to predict.
        label_smoothing: between 0 and 1.
        consistency: a, how much the two are to agree; 0 leaves them alone.
        dtype: in which the matrix products are computed; the loss itself is computed in float32 at least.

    Returns:
        The loss as above summed over the N tokens, differentiable by states and weight, and the plain negative
        log-likelihood, the mean of both readings, which is not; both scalars.

    Raises:
        ValueError: shapes, number types or devices that do not fit, or, on a CPU, a target that is no row of the
            vocabulary.
    """
    fits = states.dim() == 2 and weight.dim() == 2 and weight.shape[0] > 0 and states.shape[1] == weight.shape[1]
    if not fits or targets.dim() != 1 or states.shape[0] != 2 * targets.shape[0]:
        raise ValueError(
            "expected states [2N, d], weight [V, d] with V at least 1, and targets [N]; "
            f"got states {list(states.shape)}, weight {list(weight.shape)}, targets {list(targets.shape)}."
        )
    if consistency < 0:
        raise ValueError(f"expected consistency of at least 0; got {consistency:g}.")
    check_loss_arguments(targets, states.device, label_smoothing)
    check_target_range(targets, weight.shape[0], ignore_index=None)
    needs_grad = torch.is_grad_enabled() and (states.requires_grad or weight.requires_grad)
    return _PairedLoss.apply(  # type: ignore[no-any-return, no-untyped-call]
        states, weight, targets, label_smoothing, consistency, dtype, needs_grad
    )
