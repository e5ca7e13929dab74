"""Attention of one query to entries, each with a key and a value for every head.

Axes: H heads, E entries, w width of a head.
"""

import numpy as np

from mtcli_native.reference.arithmetic import (
    Float32,
    exp,
    f32,
    fused,
    in_lanes,
    larger,
    max_of_lanes,
    quiet,
    sum_of_lanes,
)


@quiet
def attend(query: Float32, keys: Float32, values: Float32) -> Float32:
    """[H, w]: for each head the values [E, H, w], weighed by softmax(query . key / √w) over the entries.

    Args:
        query: [H, w].
        keys: [E, H, w].
        values: [E, H, w].
    """
    total = np.zeros(query.shape, np.float32)
    for weight, value in zip(attention_weights(query, keys).T, values, strict=True):
        total = fused(weight[:, None], value, total)
    return total


@quiet
def attention_weights(query: Float32, keys: Float32) -> Float32:
    """[H, E]: how much each head of the query [H, w] attends to each of the entries with keys [E, H, w].

    A score's products are summed in 16 lanes over the head's width; the softmax in 16 lanes over the entries.
    """
    lanes_of_query, lanes_of_keys = in_lanes(query), in_lanes(keys)
    total = np.zeros((*keys.shape[:2], 16), np.float32)
    for j in range(lanes_of_query.shape[-2]):
        total = fused(lanes_of_query[:, j], lanes_of_keys[:, :, j], total)
    scores = np.ascontiguousarray(sum_of_lanes(total).T) * f32(query.shape[1] ** -0.5)

    greatest = np.full((len(scores), 16), -1e30, np.float32)
    for part in np.moveaxis(in_lanes(scores, filler=-1e30), 1, 0):
        greatest = larger(part, greatest)
    shares = exp(scores - max_of_lanes(greatest)[:, None])
    sums = np.zeros_like(greatest)
    for part in np.moveaxis(in_lanes(shares), 1, 0):
        sums = sums + part
    return shares * (f32(1) / sum_of_lanes(sums))[:, None]


@quiet
def mean_over_heads(weights: Float32) -> Float32:
    """[E]: the attention of all heads [H, E], one head added after another."""
    total = np.zeros(weights.shape[1], np.float32)
    for head in weights:
        total = total + head * (f32(1) / f32(len(weights)))
    return total
