"""How right a kernel must be: as right as plain PyTorch in the same number type, and a little slack."""

import torch
from torch import Tensor

# Of the largest exact value: a few roundings of the number type, since a kernel may round in another order.
SLACK = {torch.float32: 4e-6, torch.float16: 2e-3, torch.bfloat16: 1.6e-2, torch.float64: 1e-12}


def assert_as_exact_as_eager(ours: Tensor, eager: Tensor, exact: Tensor, name: str = "result") -> None:
    """The largest error of `ours` is at most that of `eager`, plus SLACK of the largest exact value.

    Args:
        ours: what the kernel gave.
        eager: plain PyTorch's result from the same inputs, computed in the same number type.
        exact: the same from the same inputs in float64.
    """
    assert ours.shape == exact.shape, f"{name}: shape {list(ours.shape)}, expected {list(exact.shape)}"
    assert ours.isfinite().all(), f"{name}: {int((~ours.isfinite()).sum())} of {ours.numel()} values are not finite"
    if not exact.numel():
        return
    error, allowed = (float((x.double() - exact).abs().max()) for x in (ours, eager))
    scale = float(exact.abs().max())
    limit = allowed + SLACK[ours.dtype] * scale
    assert error <= limit, f"{name}: error {error:.3g}; eager PyTorch's is {allowed:.3g}, with the slack {limit:.3g}"
