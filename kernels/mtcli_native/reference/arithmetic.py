"""Arithmetic in float32 as the kernels' vectors do it: every result here has the bits of theirs.

What is not in numpy: a fused multiply-add, which rounds once; sums over the 16 lanes of a vector, in their order; and
exp, log and erf as polynomials, for those of a system's library differ from one system to the next.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]

LANES = 16
f32 = np.float32
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def quiet(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Let infinities and not-a-number pass without a warning, as they pass through the kernels."""
    return np.errstate(all="ignore")(function)


@quiet
def fused(a: Any, b: Any, c: Any) -> Float32:
    """a * b + c in float32, rounded once.

    In float64 the product is exact, the sum may not be. Where it is not, its last bit is set to 1 (it is rounded to
    odd), so that the second rounding, to float32, falls on the side that the exact sum lies on (Boldo and Melquiond
    2008).
    """
    product = np.asarray(a, np.float64) * np.asarray(b, np.float64)
    addend = np.asarray(c, np.float64)
    total = np.asarray(product + addend)
    part = total - product
    error = (product - (total - part)) + (addend - part)  # what the sum lost (Knuth)
    bits = total.view(np.int64)
    is_even = np.isfinite(error) & (error != 0) & (bits & 1 == 0)
    outward = np.where((error > 0) == (total > 0), 1, -1)
    result: Float32 = np.where(is_even, bits + outward, bits).view(np.float64).astype(np.float32)
    return result


def larger(a: Any, b: Any) -> Float32:
    """a where it is greater, else b: also where either is not a number."""
    chosen: Float32 = np.where(np.greater(a, b), a, b)
    return chosen


def in_lanes(x: Float32, filler: float = 0.0) -> Float32:
    """[..., n] -> [..., vectors, 16], with the filler behind the end."""
    room = -x.shape[-1] % LANES
    full = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, room)], constant_values=f32(filler))
    return full.reshape(*x.shape[:-1], -1, LANES)


@quiet
def sum_of_lanes(x: Float32) -> Float32:
    """[..., 16] -> [...]: lane 0 + lane 8, 1 + 9 ...; then 0 + 4 ...; until one is left."""
    while x.shape[-1] > 1:
        half = x.shape[-1] // 2
        x = x[..., :half] + x[..., half:]
    return x[..., 0]


def max_of_lanes(x: Float32) -> Float32:
    """[..., 16] -> [...]: the greatest, joined in the same order."""
    while x.shape[-1] > 1:
        half = x.shape[-1] // 2
        x = larger(x[..., :half], x[..., half:])
    return x[..., 0]


@quiet
def exp(x: Any) -> Float32:
    """e ** x of float32 up to 88: 2 ** n times a polynomial (Cephes, expf); e ** -87 below -87."""
    x = np.asarray(x, np.float32)
    x = np.where(x < f32(-87), f32(-87), x)
    n = np.rint(x * np.float64(f32(1.44269504088896341)))  # exact but for the rounding to an integer
    r = fused(n, f32(2.12194440e-4), fused(n, f32(-0.693359375), x))
    y: Float32 = np.full_like(r, f32(1.9875691500e-4))
    for c in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1.0, 1.0):
        y = fused(y, r, f32(c))
    result: Float32 = np.ldexp(y, np.nan_to_num(n).astype(np.int32))
    return result


_LOG = (
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)


@quiet
def log(x: Any) -> Float32:
    """Natural logarithm of positive normal float32 numbers (Cephes, logf); infinity and not-a-number stay."""
    x = np.asarray(x, np.float32)
    mantissa, exponent = np.frexp(x)  # in [0.5, 1)
    is_low = mantissa < f32(0.707106781186547524)
    exponent = np.where(is_low, exponent - 1, exponent).astype(np.float32)
    m = np.where(is_low, mantissa + mantissa, mantissa) - f32(1)
    square = m * m
    y: Float32 = np.full_like(m, f32(7.0376836292e-2))
    for c in _LOG:
        y = fused(y, m, f32(c))
    y = fused(exponent, f32(-2.12194440e-4), y * m * square)
    y = fused(square, f32(-0.5), y)
    result: Float32 = np.where(x < np.inf, fused(exponent, f32(0.693359375), m + y), x)
    return result


_ERF_OVER = (
    2.77068142495902e-8,
    -2.10102402082508e-6,
    -5.69250639462346e-5,
    -7.34990630326855e-4,
    -2.95459980854025e-3,
    -1.60960333262415e-2,
)
_ERF_UNDER = (-2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2)


@quiet
def erf(x: Any) -> Float32:
    """The error function of float32: a quotient of polynomials of x², x cut off at ±4."""
    x = np.asarray(x, np.float32)
    x = np.where(x < f32(-4), f32(-4), x)
    x = np.where(x > f32(4), f32(4), x)
    square = x * x
    over: Float32 = np.full_like(x, f32(-2.72614225801306e-10))
    for c in _ERF_OVER:
        over = fused(over, square, f32(c))
    under: Float32 = np.full_like(x, f32(-1.45660718464996e-5))
    for c in _ERF_UNDER:
        under = fused(under, square, f32(c))
    result: Float32 = x * over / under
    return result
