"""Vectors: functions, sums over lanes, comparisons."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.native.arrays import array_of, assert_same_bits, seeds
from support.native.kernels import Kernels
from support.native.numbers import Operation

from mtcli_native.memory import Array, allocate
from mtcli_native.reference import arithmetic

NUMBER = 16 * 1000  # enough that a wrong coefficient shows
FUNCTIONS = {
    "exp": (Operation.EXP, arithmetic.exp, np.exp, 1.0),
    "log": (Operation.LOG, arithmetic.log, np.log, 1.0),
    "erf": (Operation.ERF, arithmetic.erf, np.vectorize(math.erf), 6.0),
}


def inputs_of(name: str, rng: np.random.Generator) -> Array:
    """Numbers that the function is for."""
    ranges = {"exp": rng.uniform(-87, 88, NUMBER), "log": np.exp(rng.uniform(-87, 88, NUMBER))}
    magnitudes = np.exp(rng.uniform(-40, 2, NUMBER))
    return ranges.get(name, magnitudes * rng.choice([-1, 1], NUMBER)).astype(np.float32)


def by_kernel(kernels: Kernels, operation: Operation, x: Array) -> Array:
    found = allocate(len(x), np.float32)
    kernels(operation, array_of(x), found, len(x))
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_those_of_the_definition(kernels: Kernels, name: str) -> None:
    operation, definition, _, _ = FUNCTIONS[name]
    x = inputs_of(name, np.random.default_rng(1))
    assert_same_bits(by_kernel(kernels, operation, x), definition(x))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_definitions_are_near_the_truth(name: str) -> None:
    _, definition, truth, allowed = FUNCTIONS[name]
    x = inputs_of(name, np.random.default_rng(2))
    exact = truth(x.astype(np.float64))
    units = np.abs(definition(x) - exact) / np.spacing(np.abs(exact).astype(np.float32))
    assert units.max() <= allowed


@pytest.mark.parametrize("bits", [0x7FC00000, 0xFFC00000, 0xFFFFFFFF, 0x7FFFFFFF])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_not_a_number_stays_one(kernels: Kernels, name: str, bits: int) -> None:
    x = np.full(16, bits, np.uint32).view(np.float32)
    assert np.isnan(by_kernel(kernels, FUNCTIONS[name][0], x)).all()


def test_a_sum_that_overflowed_has_no_finite_logarithm(kernels: Kernels) -> None:
    assert by_kernel(kernels, Operation.LOG, np.full(16, np.inf, np.float32))[0] == np.inf


@given(seeds, st.integers(0, 16))
def test_lanes_are_joined_in_one_order(kernels: Kernels, seed: int, count: int) -> None:
    x = (np.random.default_rng(seed).standard_normal(16) * 10.0 ** np.arange(-8, 8)).astype(np.float32)
    found = allocate(3, np.float32)
    kernels(Operation.FOLD, array_of(x), found, count)
    first = np.where(np.arange(16) < count, x, 0).astype(np.float32)
    expected = [arithmetic.sum_of_lanes(x), arithmetic.max_of_lanes(x), arithmetic.sum_of_lanes(first)]
    assert_same_bits(found, np.array(expected))


@given(st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 1.0, np.inf, np.nan]), min_size=16, max_size=16))
def test_a_bit_is_set_where_a_lane_is_greater(kernels: Kernels, lanes: list[float]) -> None:
    found = allocate(1, np.int64)
    kernels(Operation.GREATER, array_of(np.array(lanes)), found, array_of(np.zeros(16)))
    assert found[0] == sum(1 << lane for lane, value in enumerate(lanes) if value > 0)


@given(seeds)
def test_a_fused_multiply_add_is_rounded_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b, c = ((rng.standard_normal(64) * 10.0 ** rng.integers(-6, 6, 64)).astype(np.float32) for _ in range(3))
    c[:32] = -(a * b)[:32]  # where nearly all digits cancel
    found = arithmetic.fused(a, b, c)
    for x, y, z, sum_of_both in zip(a, b, c, found, strict=True):
        exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
        error = abs(Fraction(float(sum_of_both)) - exact)
        for neighbour in (
            np.nextafter(sum_of_both, np.float32(-np.inf)),
            np.nextafter(sum_of_both, np.float32(np.inf)),
        ):
            assert error <= abs(Fraction(float(neighbour)) - exact)
