"""Attention to entries that lie anywhere.

Axes: H heads, E entries, w width of a head.
"""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.native.arrays import array_of, assert_same_bits, random_rows, seeds
from support.native.kernels import Kernels
from support.native.numbers import Operation
from support.native.workspace import in_reach, workspace

from mtcli_native.memory import Array, address, allocate, record
from mtcli_native.packing import head_width
from mtcli_native.records import SIDE
from mtcli_native.reference.attention import attend, attention_weights, mean_over_heads


def by_kernel(kernels: Kernels, query: Array, keys: Array, values: Array) -> tuple[Array, Array]:
    """[H, w] what attention finds, and [E] the mean weights; every entry lies in memory of its own."""
    (entries, heads, size), width = keys.shape, head_width(keys.shape[2], len(query))
    side = record(SIDE, heads=heads, head_width=width, head_scale=np.float32(size**-0.5))
    work = workspace(1, widest=heads * width, entries=entries, heads=heads)
    kept = [array_of(_with_wide_heads(np.stack([k, v]), width)) for k, v in zip(keys, values, strict=True)]
    work.arrays["addresses"][:entries] = [address(entry) for entry in kept]
    out, mean = allocate((heads, width), np.float32), array_of(np.zeros(entries))
    p_side, p_work = in_reach(side), in_reach(work.record)
    kernels(Operation.ATTEND, array_of(_with_wide_heads(query, width)), entries, p_side, out, p_work)
    kernels(Operation.WEIGHTS, entries, p_side, mean, p_work)
    assert (out[:, size:] == 0).all()
    return out[:, :size], mean


def _with_wide_heads(x: Array, width: int) -> Array:
    return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, width - x.shape[-1])])


@given(seeds, st.integers(1, 40), st.integers(1, 3), st.integers(1, 40), st.sampled_from([0.3, 1.0, 20.0]))
@example(0, 1, 1, 1, 1.0)
@example(1, 17, 1, 128, 1.0)
@example(2, 16, 1, 160, 1.0)
@example(3, 5, 2, 129, 1.0)
def test_attention_is_that_of_the_definition(
    kernels: Kernels, seed: int, entries: int, heads: int, width: int, scale: float
) -> None:
    query = random_rows(seed, heads, width, scale=scale)
    keys, values = (random_rows(seed + 1 + i, entries, heads, width) for i in range(2))
    found, weights = by_kernel(kernels, query, keys, values)
    assert_same_bits(found, attend(query, keys, values))
    assert_same_bits(weights, mean_over_heads(attention_weights(query, keys)))


@given(seeds, st.integers(1, 40), st.integers(1, 40))
def test_the_definition_is_near_the_truth(seed: int, entries: int, width: int) -> None:
    query, keys, values = (
        random_rows(seed + i, *shape, 2, width) for i, shape in enumerate([(), (entries,), (entries,)])
    )
    scores = np.einsum("hw,ehw->he", query.astype(np.float64), keys) / np.sqrt(width)
    shares = np.exp(scores - scores.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    # A score's error shifts its share by as much; then come the sums of shares and of values.
    magnitudes = np.einsum("hw,ehw->he", np.abs(query).astype(np.float64), np.abs(keys)).max() / np.sqrt(width)
    allowed = 2.0**-24 * (2 * (width + 4) * magnitudes + 2 * entries + 16) * np.abs(values).max()
    assert np.abs(attend(query, keys, values) - np.einsum("he,ehw->hw", shares, values)).max() <= allowed
    assert np.abs(attention_weights(query, keys).sum(1) - 1).max() <= (entries + 2) * 2.0**-23


@pytest.mark.parametrize("width", [16, 160])
def test_an_entry_that_is_no_number_shows(kernels: Kernels, width: int) -> None:
    query, keys, values = random_rows(0, 2, width), random_rows(1, 6, 2, width), random_rows(2, 6, 2, width)
    keys[4, 1, 3] = np.nan
    found, _ = by_kernel(kernels, query, keys, values)
    assert np.isnan(found[1]).all()
    assert np.isfinite(found[0]).all()
