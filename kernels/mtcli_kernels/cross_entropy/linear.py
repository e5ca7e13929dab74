"""Cross-entropy of the output layer: from decoder states and output matrix to a summed loss.

Axes: N target tokens, d model size, V vocabulary.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from mtcli_kernels.cross_entropy.api import check_loss_arguments, check_target_range, choice, cross_entropy
from mtcli_kernels.cross_entropy.chunked import chunked_loss

_MOST_LOGIT_BYTES = 2 * 2**30  # up to here all logits are kept for backward at once
_NOTHING_IGNORED = -(2**31)  # an ignore_index that no target has: a stray -100 must not pass for a padded row


def linear_cross_entropy(
    states: Tensor,
    weight: Tensor,
    targets: Tensor,
    *,
    label_smoothing: float,
    dtype: torch.dtype = torch.float32,
    impl: str = "auto",
) -> tuple[Tensor, Tensor]:
    """Label-smoothed cross-entropy of the output layer, summed over all target tokens, in nats.

    With logits z = W h it is the sum of `cross_entropy`'s rows, but holds no more logits than it must.

    Args:
        states: [N, d] floating point, the decoder's states h.
        weight: [V, d] floating point, the output matrix W.
        targets: [N] int64, each from 0 to V - 1.
        label_smoothing: e, between 0 and 1.
        dtype: in which the matrix products are computed; the loss itself is computed in float32 at least.
        impl: "auto" takes "padded" on a CPU, which computes the gradient along with the loss, chunk by chunk, and
            "triton" on a GPU, which keeps up to 2 GB of logits and makes larger ones anew in backward, part by
            part; "reference" is the definition.

    Returns:
        The smoothed loss, differentiable by states and weight, and the plain negative log-likelihood, which is not;
        both scalars, float32 (float64 if `dtype` is).

    Raises:
        ValueError, UnavailableError: as `cross_entropy` does.
    """
    _check(states, weight, targets, dtype)
    check_loss_arguments(targets, states.device, label_smoothing)
    form = choice(impl, states.device, dtype).impl
    if form == "triton":
        return _kernel_loss(states, weight, targets, label_smoothing, dtype)
    check_target_range(targets, weight.shape[0], ignore_index=None)
    if form == "padded":
        return chunked_loss(states, weight, targets, label_smoothing, dtype)
    return _logits_loss(states, weight, targets, label_smoothing, dtype, "reference")


def _kernel_loss(
    states: Tensor, weight: Tensor, targets: Tensor, label_smoothing: float, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    rows = max(1, _MOST_LOGIT_BYTES // (weight.shape[0] * dtype.itemsize))
    if states.shape[0] <= rows:
        return _logits_loss(states, weight, targets, label_smoothing, dtype, "triton")
    loss = nll = torch.zeros((), device=states.device)
    for h, t in zip(states.split(rows), targets.split(rows), strict=True):
        part = checkpoint(
            _logits_loss, h, weight, t, label_smoothing, dtype, "triton", use_reentrant=False, preserve_rng_state=False
        )
        loss, nll = loss + part[0], nll + part[1]
    return loss, nll


def _logits_loss(
    states: Tensor, weight: Tensor, targets: Tensor, label_smoothing: float, dtype: torch.dtype, impl: str
) -> tuple[Tensor, Tensor]:
    logits = F.linear(states.to(dtype), weight.to(dtype))  # [N, V]
    loss, nll = cross_entropy(
        logits, targets, label_smoothing=label_smoothing, ignore_index=_NOTHING_IGNORED, impl=impl
    )
    return loss.sum(), nll.sum()


def _check(states: Tensor, weight: Tensor, targets: Tensor, dtype: torch.dtype) -> None:
    fits = states.dim() == 2 and weight.dim() == 2 and weight.shape[0] > 0 and states.shape[1] == weight.shape[1]
    if not fits or targets.shape != states.shape[:1]:
        raise ValueError(
            "expected states [N, d], weight [V, d] with V at least 1, and targets [N]; "
            f"got states {list(states.shape)}, weight {list(weight.shape)}, targets {list(targets.shape)}."
        )
    for name, kind in (("states", states.dtype), ("weight", weight.dtype), ("dtype", dtype)):
        if not kind.is_floating_point:
            raise ValueError(f"expected a floating-point type for {name}; got {kind}.")
    if weight.device != states.device:
        raise ValueError(f"expected weight on {states.device}, where the states are; got it on {weight.device}.")
