"""LayerNorm, the non-linearities, and embeddings: what is done to each row by itself.

Axes: R rows, d width (padded).
"""

import numpy as np

from mtcli_native.records import GELU
from mtcli_native.vectors import (
    add,
    div,
    erf,
    exp,
    fma,
    jit,
    load,
    mul,
    never_inlined,
    root,
    same,
    store,
    sub,
    sum_of,
    vector_below,
)

f32 = np.float32


@jit
def layer_norm(norm, p_x, rows, width, p_out):
    """Each row [d] less its mean, divided by the root of its variance + 1e-5, times gain, plus shift.

    The sums go over the unpadded width; the columns behind it come out as 0, because gain and shift are 0 there.
    """
    never_inlined()
    size, part = width * 4, f32(1.0) / f32(norm.width)
    for row in range(rows):
        p, p_to = p_x + row * size, p_out + row * size
        total = same(f32(0))
        for j in range(0, size, 64):
            total = add(total, load(p + j))
        mean, total = same(sum_of(total) * part), same(f32(0))
        for j in range(0, size, 64):
            apart = vector_below(sub(load(p + j), mean), norm.width - j // 4)
            total = fma(apart, apart, total)
        scale = same(f32(1.0) / root(sum_of(total) * part + f32(1e-5)))
        for j in range(0, size, 64):
            apart = mul(sub(load(p + j), mean), scale)
            store(p_to + j, fma(apart, load(norm.p_gain + j), load(norm.p_shift + j)))


@jit
def activate(kind, p, count):
    """GELU (with the error function) or SiLU of numbers, a multiple of 16, in place."""
    never_inlined()
    for j in range(0, count * 4, 64):
        x = load(p + j)
        if kind == GELU:
            half = mul(x, same(f32(0.5)))
            store(p + j, fma(half, erf(mul(x, same(f32(0.7071067811865476)))), half))
        else:
            store(p + j, div(x, add(same(f32(1)), exp(sub(same(f32(0)), x)))))


@jit
def embed(embedding, token, position, width, p_out):
    """One row: the token's vector times the scale, plus the position's."""
    p_token, p_position = embedding.p_tokens + token * width * 4, embedding.p_positions + position * width * 4
    scale = same(embedding.scale)
    for j in range(0, width * 4, 64):
        store(p_out + j, add(mul(load(p_token + j), scale), load(p_position + j)))
