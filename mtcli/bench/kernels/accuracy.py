"""Whether a result is right: as exact as plain PyTorch in the same number type, and a little slack.

The same rule as the kernels' tests, on the tensors that are timed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# Of the largest exact value: a few roundings of the number type, since a kernel may round in another order.
SLACK = {torch.float32: 4e-6, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}


@dataclass(frozen=True)
class Verdict:
    """How far a result is from the exact one.

    Attributes:
        error: norm of the difference over norm of the exact result, the worst of all outputs.
        failure: a sentence when that is too far.
    """

    error: float
    failure: str | None = None


class Judge:
    """Holds the exact outputs of one case, and what error plain PyTorch makes on them.

    Args:
        exact: outputs computed in float32 or better; whole numbers must be met exactly.
        dtype: number type of the contestants.
        eager: the outputs of plain PyTorch in that number type; None where it cannot run.
    """

    def __init__(self, exact: Sequence[Tensor], dtype: torch.dtype, eager: Sequence[Tensor] | None) -> None:
        self._exact = exact
        self._slack = SLACK[dtype]
        self._allowed = [0.0] * len(exact)
        if eager is not None:
            self._allowed = [_largest(x, y) for x, y in zip(eager, exact, strict=True)]

    def judge(self, outputs: Sequence[Tensor]) -> Verdict:
        worst = 0.0
        for i, (ours, exact, allowed) in enumerate(zip(outputs, self._exact, self._allowed, strict=True)):
            if ours.shape != exact.shape:
                return Verdict(float("nan"), f"output {i} has shape {list(ours.shape)}, expected {list(exact.shape)}")
            if not exact.is_floating_point():
                if wrong := int((ours != exact).sum()):
                    return Verdict(float("nan"), f"output {i}: {wrong} of {exact.numel()} numbers are wrong")
                continue
            error = _largest(ours, exact)
            limit = allowed + self._slack * float(exact.abs().max())
            worst = max(worst, _relative(ours, exact))
            if not error <= limit:  # NaN is no pass
                return Verdict(worst, f"output {i}: largest error {error:.3g}, where {limit:.3g} is allowed")
        return Verdict(worst)


def _largest(ours: Tensor, exact: Tensor) -> float:
    return float((ours.to(exact.dtype) - exact).abs().max())


def _relative(ours: Tensor, exact: Tensor) -> float:
    norm = float(torch.linalg.vector_norm(exact))
    return float(torch.linalg.vector_norm(ours.to(exact.dtype) - exact)) / norm if norm else 0.0
