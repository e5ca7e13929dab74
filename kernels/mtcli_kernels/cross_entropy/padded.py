"""Cross-entropy in vectorised PyTorch, a few rows at a time, with the gradient written over the logits.

Autograd's own backward would keep all log-probabilities: a second tensor as large as the logits, in float32.
"""

from typing import Any

import torch
from torch import Tensor

# Numbers in a chunk of rows: what fits the cache of a CPU, and what fills a GPU.
_CHUNK_NUMBERS = {"cpu": 2**19, "cuda": 2**26}


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, targets: Tensor, label_smoothing: float, ignore_index: int
    ) -> tuple[Tensor, Tensor]:
        num_rows, vocab_size = logits.shape
        wide = torch.promote_types(logits.dtype, torch.float32)
        lse, mean = (logits.new_empty(num_rows, dtype=wide) for _ in range(2))
        for part in _chunks(logits):
            z = logits[part].to(wide)
            lse[part] = z.logsumexp(1)
            if label_smoothing > 0:
                mean[part] = z.mean(1)
        is_known = (targets >= 0) & (targets < vocab_size)
        lse.masked_fill_(~is_known, torch.nan)
        nll = lse - logits.gather(1, targets.where(is_known, 0)[:, None]).squeeze(1).to(wide)
        loss = nll.clone()
        if label_smoothing > 0:
            loss.mul_(1 - label_smoothing).add_(lse - mean, alpha=label_smoothing)
        is_ignored = targets == ignore_index
        ctx.save_for_backward(logits, targets.where(is_known, 0), is_ignored, lse)
        ctx.label_smoothing = label_smoothing
        nll.masked_fill_(is_ignored, 0)
        ctx.mark_non_differentiable(nll)
        return loss.masked_fill_(is_ignored, 0), nll

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor, _: Tensor) -> tuple[Tensor, None, None, None]:
        if torch.is_grad_enabled():
            raise RuntimeError("cross_entropy has no second derivative: its backward overwrites the logits.")
        logits, targets, is_ignored, lse = ctx.saved_tensors  # raises if an earlier backward has overwritten them
        on_target = torch.full_like(lse, ctx.label_smoothing - 1)[:, None]
        for part in _chunks(logits):
            grad = logits[part].to(lse.dtype)  # the logits themselves, where they are this wide
            grad.sub_(lse[part, None]).exp_()
            if ctx.label_smoothing > 0:
                grad.sub_(ctx.label_smoothing / logits.shape[1])
            grad.scatter_add_(1, targets[part, None], on_target[part])
            grad.mul_(grad_loss[part, None])
            grad.masked_fill_(is_ignored[part, None], 0)
            if grad.dtype != logits.dtype:
                logits[part] = grad
        return logits.detach(), None, None, None


def _chunks(logits: Tensor) -> list[slice]:
    num_rows, vocab_size = logits.shape
    rows = max(1, _CHUNK_NUMBERS.get(logits.device.type, 2**26) // vocab_size)
    return [slice(start, start + rows) for start in range(0, num_rows, rows)]


def padded_cross_entropy(
    logits: Tensor, targets: Tensor, label_smoothing: float, ignore_index: int
) -> tuple[Tensor, Tensor]:
    """Same arguments and result as `cross_entropy`."""
    return _CrossEntropy.apply(logits, targets, label_smoothing, ignore_index)  # type: ignore[no-any-return, no-untyped-call]
