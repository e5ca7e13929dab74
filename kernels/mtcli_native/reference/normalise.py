"""LayerNorm, the non-linearities and embeddings: what is done to each row by itself.

Axes: R rows, d width, V vocabulary.
"""

from dataclasses import dataclass

import numpy as np

from mtcli_native.records import GELU, RELU
from mtcli_native.reference.arithmetic import (
    LANES,
    Float32,
    Int64,
    erf,
    exp,
    f32,
    fused,
    in_lanes,
    larger,
    quiet,
    sum_of_lanes,
)


@dataclass(frozen=True, eq=False)
class Norm:
    """The two vectors of a LayerNorm, [d] float32."""

    gain: Float32
    shift: Float32


@dataclass(frozen=True, eq=False)
class Embedding:
    """Vectors of tokens [V, d] and of positions [positions, d], and what token vectors are multiplied with."""

    tokens: Float32
    positions: Float32
    scale: float


@quiet
def layer_norm(norm: Norm, x: Float32) -> Float32:
    """Each row [d] less its mean, divided by the root of its variance + 1e-5, times gain, plus shift.

    Lane j mod 16 adds up the numbers j, one after another; then the lanes are added.
    """
    part = f32(1) / f32(x.shape[1])
    total = np.zeros((len(x), 16), np.float32)
    for j in range(vectors(x)):
        total = total + in_lanes(x)[:, j]
    apart = x - (sum_of_lanes(total) * part)[:, None]
    total = np.zeros((len(x), 16), np.float32)
    for j in range(vectors(x)):
        total = fused(in_lanes(apart)[:, j], in_lanes(apart)[:, j], total)
    scale = f32(1) / np.sqrt(sum_of_lanes(total) * part + f32(1e-5))
    return fused(apart * scale[:, None], norm.gain, norm.shift)


def vectors(x: Float32) -> int:
    """Vectors of 16 lanes that a row takes."""
    return -(-int(x.shape[-1]) // LANES)


@quiet
def activate(kind: int, x: Float32) -> Float32:
    """Compute max(x, 0), GELU (x times the normal distribution's integral up to x) or SiLU (x times the logistic)."""
    if kind == RELU:
        return larger(f32(0), x)
    if kind == GELU:
        half = x * f32(0.5)
        return fused(half, erf(x * f32(0.7071067811865476)), half)
    logistic: Float32 = x / (f32(1) + exp(f32(0) - larger(x, f32(-88))))
    return logistic


@quiet
def embed(embedding: Embedding, tokens: Int64, positions: Int64) -> Float32:
    """[R, d]: each token's vector times the scale, plus its position's."""
    found: Float32 = embedding.tokens[tokens] * f32(embedding.scale) + embedding.positions[positions]
    return found
