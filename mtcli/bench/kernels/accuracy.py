"""Whether a result is right: as exact as plain PyTorch in the same number type, and a little slack.

The same rule as the kernels' tests, on the tensors that are timed.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

# Of the largest exact value: a few roundings of the number type, since a kernel may round in another order.
SLACK = {torch.float32: 4e-6, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}


class Judge:
    """Holds the exact outputs of one case, and what error plain PyTorch makes on them.

    Args:
        exact: outputs computed in float32 or better; whole numbers must be met exactly.
        dtype: number type of the variants.
        plain: the outputs of plain PyTorch in that number type; None where it cannot run.
    """

    def __init__(self, exact: Sequence[Tensor], dtype: torch.dtype, plain: Sequence[Tensor] | None) -> None:
        self._exact, self._slack = exact, SLACK[dtype]
        self._allowed = [0.0] * len(exact)
        if plain is not None:
            self._allowed = [_largest_error(x, y) for x, y in zip(plain, exact, strict=True)]

    def failure(self, outputs: Sequence[Tensor]) -> str | None:
        """What is wrong with the first output that is, such as `output 0: 4 of 5 numbers are wrong`; else None."""
        for i, (found, exact, allowed) in enumerate(zip(outputs, self._exact, self._allowed, strict=True)):
            if found.shape != exact.shape:
                return f"output {i}: it has shape {list(found.shape)}, expected {list(exact.shape)}"
            if exact.is_floating_point():
                error, limit = _largest_error(found, exact), allowed + self._slack * float(exact.abs().max())
                if not error <= limit:  # NaN is no pass
                    return f"output {i}: largest error {error:.3g}, where {limit:.3g} is allowed"
            elif wrong := int((found != exact).sum()):
                return f"output {i}: {wrong} of {exact.numel()} numbers are wrong"
        return None


def _largest_error(found: Tensor, exact: Tensor) -> float:
    return float((found.to(exact.dtype) - exact).abs().max())
