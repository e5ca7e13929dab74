"""Label-smoothed cross-entropy of logits, and of the output layer that makes them."""

from mtcli_kernels.cross_entropy.api import choice, cross_entropy
from mtcli_kernels.cross_entropy.linear import linear_cross_entropy
from mtcli_kernels.cross_entropy.paired import paired_linear_cross_entropy

__all__ = ["choice", "cross_entropy", "linear_cross_entropy", "paired_linear_cross_entropy"]
