"""Matrix products: float32 to the bit, integers exactly, every row by itself.

Axes: R rows, k inputs, n outputs.
"""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.native.arrays import array_of, assert_same_bits, padded_rows, random_rows, seeds
from support.native.kernels import Kernels
from support.native.numbers import Operation
from support.native.workspace import in_reach, workspace

from mtcli_native.memory import Array, allocate
from mtcli_native.packing import Packer, padded
from mtcli_native.records import FLOAT32, INT8, INT8_POSITIVE
from mtcli_native.reference.linear import Linear, linear, quantise

PLAIN, RELU, ADD = range(3)
KINDS = pytest.mark.parametrize("kind", [FLOAT32, INT8, INT8_POSITIVE], ids=["float32", "int8", "int8-positive"])


def layer_of(seed: int, n: int, k: int, kind: int) -> Linear:
    return Linear(random_rows(seed, n, k), random_rows(seed + 1, n), kind)


def rows_for(layer: Linear, seed: int, rows: int) -> Array:
    x = random_rows(seed, rows, layer.weight.shape[1])
    return np.abs(x) if layer.kind == INT8_POSITIVE else x


def by_kernel(kernels: Kernels, layer: Linear, x: Array, form: int = PLAIN, plus: Array | None = None) -> Array:
    """[R, n] the kernel's product; of rows of numbers, the columns behind the last output must be 0."""
    n, k = layer.weight.shape
    packer = Packer(kernels.target)
    packed = packer.linear(layer.weight, layer.bias, layer.kind)
    out = array_of(np.zeros((len(x), padded(n)))) if plus is None else padded_rows(plus, padded(n))
    if plus is None:
        out.view(np.uint8).fill(0xFF)
    work = workspace(len(x), width=padded(k), widest=max(padded(k), padded(n)))
    kernels(Operation.LINEAR, in_reach(packed), padded_rows(x, padded(k)), len(x), out, in_reach(work.record), form)
    assert (out[np.isfinite(x).all(1), n:] == 0).all()
    return out[:, :n]


@KINDS
@given(seeds, st.integers(1, 40), st.integers(1, 70), st.sampled_from([1, 31, 32, 33, 100]), st.integers(0, 2))
@example(0, 1, 64, 32, PLAIN)
@example(0, 12, 64, 32, RELU)
@example(0, 13, 33, 32, ADD)
def test_products_are_those_of_the_definition(
    kernels: Kernels, kind: int, seed: int, rows: int, n: int, k: int, form: int
) -> None:
    layer = layer_of(seed, n, k, kind)
    x = rows_for(layer, seed + 2, rows)
    plus = random_rows(seed + 3, rows, n) if form == ADD else None
    expected = linear(layer, x, is_relu=form == RELU, plus=plus)
    assert_same_bits(by_kernel(kernels, layer, x, form, plus), expected)


@KINDS
@given(seeds, st.integers(1, 8), st.integers(1, 40), st.integers(1, 90))
def test_definitions_are_near_the_truth(kind: int, seed: int, rows: int, n: int, k: int) -> None:
    layer = layer_of(seed, n, k, kind)
    x = rows_for(layer, seed + 2, rows)
    exact = x.astype(np.float64) @ layer.weight.T.astype(np.float64) + layer.bias
    magnitudes = np.abs(x).astype(np.float64) @ np.abs(layer.weight.T) + np.abs(layer.bias)
    allowed = (k + 1) * 2.0**-24 * magnitudes
    if kind != FLOAT32:  # half a unit on either side of each product, and both
        x_units = np.abs(x).max(1) / (255 if kind == INT8_POSITIVE else 127) / 2
        weight_units = np.abs(layer.weight).max(1) / 127 / 2
        allowed = (
            x_units[:, None] * np.abs(layer.weight).sum(1)
            + np.abs(x).sum(1)[:, None] * weight_units
            + k * x_units[:, None] * weight_units
        ) * (1 + 1e-5) + 1e-5 * magnitudes
    assert (np.abs(linear(layer, x) - exact) <= allowed).all()


@KINDS
@given(seeds, st.integers(1, 20), st.sampled_from([32, 64, 96]))
def test_integers_and_units_are_those_of_the_definition(
    kernels: Kernels, kind: int, seed: int, rows: int, k: int
) -> None:
    if kind == FLOAT32:
        return
    x = rows_for(Linear(np.zeros((1, k), np.float32), np.zeros(1, np.float32), kind), seed, rows)
    work = workspace(rows, width=k, widest=k)
    kernels(Operation.QUANTISE, array_of(x), rows, k, kind, in_reach(work.record))
    int8 = kernels.target.int8
    zero = int8.positive_zero if kind == INT8_POSITIVE else int8.zero
    has_sign = int8.bytes == 2 or int8.positive_zero < 0
    stored = work.arrays["integers"].view(f"{'i' if has_sign else 'u'}{int8.bytes}").ravel()[: rows * k]
    integers, units = quantise(x, kind)
    assert np.array_equal(stored.reshape(rows, k).astype(np.int64) - zero, integers)
    assert_same_bits(work.arrays["scales"], units)


def test_the_greatest_sum_of_integers_fits(kernels: Kernels) -> None:
    layer = Linear(np.ones((1, 8192), np.float32), np.zeros(1, np.float32), INT8_POSITIVE)
    assert_same_bits(by_kernel(kernels, layer, np.ones((2, 8192), np.float32)), linear(layer, np.ones((2, 8192))))


@KINDS
def test_a_row_has_the_same_bits_in_any_company(kernels: Kernels, kind: int) -> None:
    layer = layer_of(7, 160, 64, kind)
    x = rows_for(layer, 8, 60)
    alone = np.concatenate([by_kernel(kernels, layer, x[row : row + 1]) for row in range(60)])
    for rows in range(1, 61):
        first = 60 - rows
        assert_same_bits(by_kernel(kernels, layer, x[first:]), alone[first:])


@KINDS
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_stays_none_and_in_its_row(kernels: Kernels, kind: int, bad: float) -> None:
    layer = layer_of(3, 40, 32, kind)
    x = rows_for(layer, 4, 3)
    good = by_kernel(kernels, layer, x)
    x[1, 5] = bad
    found = by_kernel(kernels, layer, x)
    assert not np.isfinite(found[1][layer.weight[:, 5] != 0]).any()
    assert_same_bits(found[[0, 2]], good[[0, 2]])


@KINDS
def test_columns_from_the_middle_on(kernels: Kernels, kind: int) -> None:
    """As the logits are computed: a group of panels after another, into rows that lie apart."""
    layer = layer_of(1, 320, 32, kind)
    x = rows_for(layer, 2, 5)
    packer = Packer(kernels.target)
    packed, work = in_reach(packer.linear(layer.weight, layer.bias, kind)), workspace(5, width=32, widest=320)
    out = allocate((5, 100), np.float32)
    kernels(Operation.COLUMNS, packed, array_of(x), 5, 256, 320, out, 400, in_reach(work.record))
    assert_same_bits(out[:, :64], linear(layer, x)[:, 256:])
    assert np.isnan(out[:, 64:]).all()
