"""The kernels as PyTorch operators: a functional forward, and a backward that writes over the logits.

Axes: N rows, V vocabulary.
"""

from typing import Any

import torch
from torch import Tensor

from mtcli_kernels.cross_entropy.tiles import TILES
from mtcli_kernels.dispatch import capability
from mtcli_kernels.tuning import Tile


@torch.library.custom_op("mtcli::cross_entropy", mutates_args=())
def cross_entropy_op(
    logits: Tensor, targets: Tensor, label_smoothing: float, ignore_index: int
) -> tuple[Tensor, Tensor, Tensor]:
    """(loss, nll, lse), each [N] float32; `lse` is +inf where the target is ignored, NaN where it is no piece."""
    from mtcli_kernels.cross_entropy.kernel import cross_entropy_fwd_kernel

    num_rows, vocab_size = logits.shape
    loss, nll, lse = (logits.new_empty(num_rows, dtype=torch.float32) for _ in range(3))
    rows = _with_adjacent_logits(logits)
    if num_rows:
        tile = _tile("cross_entropy_fwd_kernel", logits)
        with torch.cuda.device_of(logits):
            cross_entropy_fwd_kernel[(num_rows,)](
                rows, targets.contiguous(), loss, nll, lse,
                rows.stride(0), vocab_size, label_smoothing, ignore_index, **tile.launch,
            )  # fmt: skip
    return loss, nll, lse


@torch.library.custom_op("mtcli::cross_entropy_backward", mutates_args=("logits",))
def cross_entropy_backward_op(
    logits: Tensor, targets: Tensor, lse: Tensor, grad_loss: Tensor, label_smoothing: float, ignore_index: int
) -> None:
    """Writes the gradient of (loss * grad_loss).sum() by the logits over the logits."""
    from mtcli_kernels.cross_entropy.kernel import cross_entropy_bwd_kernel

    num_rows, vocab_size = logits.shape
    if not num_rows:
        return
    rows = _with_adjacent_logits(logits)
    tile = _tile("cross_entropy_bwd_kernel", logits)
    num_blocks = -(-vocab_size // tile.blocks["BLOCK_V"])
    with torch.cuda.device_of(logits):
        cross_entropy_bwd_kernel[(num_rows * num_blocks,)](
            rows, targets.contiguous(), lse.contiguous(), grad_loss.contiguous(),
            rows.stride(0), vocab_size, label_smoothing, ignore_index, **tile.launch,
        )  # fmt: skip
    if rows is not logits:
        logits.copy_(rows)


def _with_adjacent_logits(logits: Tensor) -> Tensor:
    return logits if logits.stride(1) == 1 else logits.contiguous()


def _tile(kernel: str, logits: Tensor) -> Tile:
    return TILES.pick(kernel, capability(logits.device), 8 * logits.element_size())


@cross_entropy_op.register_fake
def _(logits: Tensor, targets: Tensor, label_smoothing: float, ignore_index: int) -> tuple[Tensor, Tensor, Tensor]:
    loss, nll, lse = (logits.new_empty(logits.shape[0], dtype=torch.float32) for _ in range(3))
    return loss, nll, lse


@cross_entropy_backward_op.register_fake
def _(
    logits: Tensor, targets: Tensor, lse: Tensor, grad_loss: Tensor, label_smoothing: float, ignore_index: int
) -> None:
    return None


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    logits, targets, ctx.label_smoothing, ctx.ignore_index = inputs
    _, nll, lse = output
    ctx.mark_non_differentiable(nll, lse)
    ctx.save_for_backward(logits, targets, lse)


def _backward(ctx: Any, grad_loss: Tensor, grad_nll: Tensor, grad_lse: Tensor) -> tuple[Tensor, None, None, None]:
    if torch.is_grad_enabled():
        raise RuntimeError("cross_entropy has no second derivative: its backward overwrites the logits.")
    logits, targets, lse = ctx.saved_tensors  # raises if an earlier backward has overwritten them
    cross_entropy_backward_op(logits, targets, lse, grad_loss, ctx.label_smoothing, ctx.ignore_index)
    return logits.detach(), None, None, None


cross_entropy_op.register_autograd(_backward, setup_context=_setup_context)
