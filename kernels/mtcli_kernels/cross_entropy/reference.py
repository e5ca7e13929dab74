"""Cross-entropy as its definition reads, in the number type of the logits."""

import torch
from torch import Tensor


def reference_cross_entropy(
    logits: Tensor, targets: Tensor, label_smoothing: float, ignore_index: int
) -> tuple[Tensor, Tensor]:
    """Same arguments and result as `cross_entropy`; backward leaves the logits as they are."""
    log_probs = logits.log_softmax(dim=1)  # [N, V]
    is_known = (targets >= 0) & (targets < logits.shape[1])
    nll = -log_probs.gather(1, targets.where(is_known, 0)[:, None]).squeeze(1)
    nll = nll.where(is_known, torch.nan)
    loss = nll
    if label_smoothing > 0:
        # The cross-entropy between the uniform distribution over the vocabulary and the model's.
        loss = (1 - label_smoothing) * nll + label_smoothing * -log_probs.mean(dim=1)
    is_counted = targets != ignore_index
    wide = torch.promote_types(logits.dtype, torch.float32)
    return loss.where(is_counted, 0).to(wide), nll.where(is_counted, 0).to(wide).detach()
