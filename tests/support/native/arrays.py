"""Arrays for the kernels, and how results are compared."""

import numpy as np
from hypothesis import strategies as st

from mtcli_native.memory import Array, allocate

seeds = st.integers(0, 2**32 - 1)
"""Of the numbers in a case: hypothesis chooses sizes, a generator fills them."""


def array_of(values: object, kind: type = np.float32) -> Array:
    """A copy in memory that the kernels may use."""
    given = np.asarray(values, kind)
    made = allocate(given.shape, kind)
    made[:] = given
    return made


def padded_rows(x: Array, width: int) -> Array:
    """[R, n] with zeros up to `width` columns, in memory that the kernels may use."""
    return array_of(np.pad(x, ((0, 0), (0, width - x.shape[1]))))


def random_rows(seed: int, *shape: int, scale: float = 1.0) -> Array:
    """Numbers with a normal distribution, some of which are zero."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < 0.05, 0, rng.standard_normal(shape) * scale).astype(np.float32)


def assert_same_bits(found: Array, expected: Array) -> None:
    """Both hold the same float32 numbers, infinities and not-a-number at the same places; 0 is -0."""
    assert found.dtype == expected.dtype == np.float32
    assert np.array_equal(found, expected, equal_nan=True), f"{(found != expected).sum()} of {found.size} differ"
