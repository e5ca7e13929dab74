"""A running average of the weights that always covers the same last part of the run.

The power-function average of Karras et al. 2024 (arXiv:2312.02696, section 3.1): after step t the average moves
by 1 - (1 - 1/t)^(g + 1) of the way to the newest weights. Its width grows with t, so there is no need to know
when the run ends, nor to keep old checkpoints: whenever it stops, the average stands ready.
"""

import copy

import torch

from mtcli.model.transformer import Transformer


def exponent_for_width(width: float) -> float:
    """g such that the average's standard deviation is `width` of the run: width² = (g+1) / ((g+2)² (g+3))."""
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        wider = (middle + 1) / ((middle + 2) ** 2 * (middle + 3)) > width**2
        low, high = (middle, high) if wider else (low, middle)
    return low


class WeightAverage:
    """A network of its own, in evaluation mode, whose weights follow those in training."""

    def __init__(self, network: Transformer, width: float) -> None:
        """Start from `network`'s weights; a width of 0 always follows the newest ones."""
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._exponent = exponent_for_width(width) if width > 0 else None

    def share(self, step: int) -> float:
        """How far the average moves towards the weights after `step`, counted from 1."""
        return 1.0 if self._exponent is None else 1 - (1 - 1 / step) ** (self._exponent + 1)

    @torch.no_grad()
    def update(self, network: Transformer, step: int) -> None:
        """Take in the weights after `step`."""
        torch._foreach_lerp_(list(self.network.parameters()), list(network.parameters()), self.share(step))
