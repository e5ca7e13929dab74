"""The public face of cross-entropy: checks its inputs, then chooses an implementation."""

import torch
from torch import Tensor

from mtcli_kernels.cross_entropy.padded import padded_cross_entropy
from mtcli_kernels.cross_entropy.reference import reference_cross_entropy
from mtcli_kernels.dispatch import Choice, choose, constant_when_compiled, triton_obstacle

OFFERED = ("triton", "padded", "reference")


# torch.compile asks once, outside the graph: the rule imports and logs, which cannot be traced.
@constant_when_compiled
def choice(impl: str, device: torch.device, dtype: torch.dtype) -> Choice:
    """What `cross_entropy` runs for logits of this number type on this device."""
    return choose("cross_entropy", impl, OFFERED, device, {"triton": triton_obstacle(device, dtype)})


def cross_entropy(
    logits: Tensor,
    targets: Tensor,
    *,
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
    impl: str = "auto",
) -> tuple[Tensor, Tensor]:
    """Label-smoothed cross-entropy of each row, in nats (Szegedy et al. 2016).

        loss = (1 - e) (lse(z) - z_t) + e (lse(z) - mean(z))

    as `torch.nn.functional.cross_entropy(reduction="none", label_smoothing=e)` defines it.

    BACKWARD CONSUMES THE LOGITS: it writes their gradient over them, which saves a tensor of their size. Do not
    use `logits` after backward, nor give logits that another operation still needs; a second backward raises
    torch's RuntimeError about a variable "modified by an inplace operation". Only `reference` leaves them alone.
    The forward never changes them.

    Args:
        logits: [N, V] floating point, any strides; computed in float32 (float64 logits: in float64).
        targets: [N] int64, each from 0 to V - 1, or `ignore_index`.
        label_smoothing: e, between 0 and 1.
        ignore_index: rows with this target have loss, nll and gradient 0.
        impl: "auto" takes "padded" on a CPU and "triton" on a GPU; "reference" is the definition.

    Returns:
        The loss (differentiable) and the plain negative log-likelihood lse(z) - z_t (not), each [N] float32
        (float64 for float64 logits). A logit of -inf that is not the target's leaves the loss finite without
        smoothing and makes it +inf with smoothing.

    Raises:
        ValueError: shapes, number types or devices that do not fit, an unknown impl, or, on a CPU, a target that
            is no row of the vocabulary. On a GPU looking would mean waiting, so such a row's loss is NaN.
        UnavailableError: an impl that was named and cannot run here.
    """
    _check(logits, targets)
    check_loss_arguments(targets, logits.device, label_smoothing)
    form = choice(impl, logits.device, logits.dtype).impl
    if form == "triton":
        from mtcli_kernels.cross_entropy.op import cross_entropy_op

        loss, nll, _ = cross_entropy_op(_own_rows(logits), targets, label_smoothing, ignore_index)
        return loss, nll
    check_target_range(targets, logits.shape[1], ignore_index)
    if form == "padded":
        return padded_cross_entropy(_own_rows(logits), targets, label_smoothing, ignore_index)
    return reference_cross_entropy(logits, targets, label_smoothing, ignore_index)


def _own_rows(logits: Tensor) -> Tensor:
    """The logits if each row has adjacent places in memory and shares none, so that gradients can be written there;
    else a copy."""
    if logits.is_contiguous() or (logits.stride(1) == 1 and logits.stride(0) >= logits.shape[1]):
        return logits
    return logits.contiguous()


def _check(logits: Tensor, targets: Tensor) -> None:
    if logits.dim() != 2 or logits.shape[1] == 0 or targets.shape != logits.shape[:1]:
        raise ValueError(
            "expected logits [N, V] with V at least 1, and targets [N]; "
            f"got logits {list(logits.shape)}, targets {list(targets.shape)}."
        )
    if not logits.is_floating_point():
        raise ValueError(f"expected logits of a floating-point type; got {logits.dtype}.")


def check_loss_arguments(targets: Tensor, device: torch.device, label_smoothing: float) -> None:
    """ValueError unless the targets are int64, on the device of what they are compared with, and 0 <= e <= 1."""
    if targets.dtype != torch.int64:
        raise ValueError(f"expected int64 targets; got {targets.dtype}.")
    if targets.device != device:
        raise ValueError(f"expected targets on {device}, where the logits are; got them on {targets.device}.")
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"expected label_smoothing between 0 and 1; got {label_smoothing:g}.")


def check_target_range(targets: Tensor, vocab_size: int, ignore_index: int | None) -> None:
    """ValueError if a target on the CPU is no row of the vocabulary; a GPU is not asked, since that would wait."""
    if targets.device.type != "cpu" or torch.compiler.is_compiling():
        return
    wrong = (targets < 0) | (targets >= vocab_size)
    if ignore_index is not None:
        wrong &= targets != ignore_index
    if wrong.any():
        row = int(wrong.nonzero()[0])
        expected = f"0 to {vocab_size - 1}" if ignore_index is None else f"0 to {vocab_size - 1}, or {ignore_index}"
        raise ValueError(f"targets[{row}] = {int(targets[row])}; expected {expected}.")
