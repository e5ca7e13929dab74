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
    shares, sums = _shares(query, keys)
    total = np.zeros(query.shape, np.float32)
    for share, value in zip(shares, values, strict=True):
        total = fused(share[:, None], value, total)
    return total * (f32(1) / sums)[:, None]


@quiet
def attention_weights(query: Float32, keys: Float32) -> Float32:
    """[H, E]: how much each head of the query [H, w] attends to each of the entries with keys [E, H, w]."""
    shares, sums = _shares(query, keys)
    return shares.T * (f32(1) / sums)[:, None]


@quiet
def _shares(query: Float32, keys: Float32) -> tuple[Float32, Float32]:
    """e ** (score - greatest score) [E, H], and their sums over the entries [H].

    A score's products are summed in 16 lanes over the head's width; the shares in 16 lanes over the entries.
    """
    lanes_of_query, lanes_of_keys = in_lanes(query), in_lanes(keys)
    total = np.zeros((*keys.shape[:2], 16), np.float32)
    for j in range(lanes_of_query.shape[-2]):
        total = fused(lanes_of_query[:, j], lanes_of_keys[:, :, j], total)
    scores = sum_of_lanes(total) * f32(query.shape[1] ** -0.5)

    by_lane = in_lanes(np.ascontiguousarray(scores.T), filler=-1e30)  # [H, E / 16, 16]
    greatest = by_lane[:, 0]
    for j in range(1, by_lane.shape[1]):
        greatest = larger(by_lane[:, j], greatest)
    shares = exp(by_lane - max_of_lanes(greatest)[:, None, None])
    sums = np.zeros_like(greatest)
    for j in range(shares.shape[1]):
        sums = sums + shares[:, j]
    return shares.reshape(len(query), -1)[:, : len(keys)].T, sum_of_lanes(sums)
