"""Matrix products, in float32 and in integers, and rows of activations as integers.

Axes: R rows, n outputs, k inputs.
"""

from dataclasses import dataclass

import numpy as np

from mtcli_native.packing import quantised
from mtcli_native.records import FLOAT32, INT8_POSITIVE
from mtcli_native.reference.arithmetic import Float32, Int64, f32, fused, larger, quiet


@dataclass(frozen=True, eq=False)
class Linear:
    """The weights of x @ weight.T + bias.

    Attributes:
        weight: [n, k] float32.
        bias: [n] float32.
        kind: FLOAT32, INT8 or INT8_POSITIVE: how the product is computed.
    """

    weight: Float32
    bias: Float32
    kind: int = FLOAT32


def quantise(x: Float32, kind: int) -> tuple[Int64, Float32]:
    """Integers [R, k] and a unit for each row [R], so that x is about units x integers.

    The greatest magnitude of a row is 127 units, and 255 where nothing is negative (INT8_POSITIVE). A row with a number
    that is infinite or none has a unit that is infinite or no number, and integers without a meaning.
    """
    most = f32(255 if kind == INT8_POSITIVE else 127)
    with np.errstate(all="ignore"):
        greatest = np.maximum(np.abs(x).max(1), f32(1e-20))
        integers = np.rint(x * (most / greatest)[:, None])
        return np.where(np.isfinite(integers), integers, 0).astype(np.int64), greatest / most


def linear(layer: Linear, x: Float32, *, is_relu: bool = False, plus: Float32 | None = None) -> Float32:
    """[R, n] = x [R, k] @ weight.T + bias; then max(.., 0) if is_relu; then + plus [R, n]."""
    found = _of_float32(layer, x) if layer.kind == FLOAT32 else _of_integers(layer, x)
    if is_relu:
        found = larger(f32(0), found)
    return found if plus is None else found + plus


def _of_float32(layer: Linear, x: Float32) -> Float32:
    """One chain of fused multiply-adds over k, begun with the bias."""
    total = np.broadcast_to(layer.bias, (len(x), len(layer.bias)))
    for k in range(x.shape[1]):
        total = fused(x[:, k, None], layer.weight[:, k], total)
    return total


@quiet
def _of_integers(layer: Linear, x: Float32) -> Float32:
    """Exact sums of integers, times the unit of the row and that of the output, plus the bias."""
    integers, units = quantise(x, layer.kind)
    weight_units, weights = quantised(layer.weight)
    sums = integers @ weights.astype(np.int64).T
    return fused(sums.astype(np.float32), units[:, None] * weight_units, layer.bias)
