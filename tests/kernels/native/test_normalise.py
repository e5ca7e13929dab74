"""LayerNorm, non-linearities and embeddings.

Axes: R rows, d width.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.native.arrays import array_of, assert_same_bits, padded_rows, random_rows, seeds
from support.native.kernels import Kernels
from support.native.numbers import Operation
from support.native.workspace import in_reach

from mtcli_native.memory import allocate
from mtcli_native.packing import Packer, padded
from mtcli_native.records import GELU, RELU, SILU
from mtcli_native.reference.normalise import Embedding, Norm, activate, embed, layer_norm


@given(seeds, st.integers(1, 5), st.integers(1, 100))
def test_layer_norm_is_that_of_the_definition(kernels: Kernels, seed: int, rows: int, d: int) -> None:
    norm, x = Norm(random_rows(seed, d), random_rows(seed + 1, d)), random_rows(seed + 2, rows, d, scale=3)
    packer, out = Packer(kernels.target), allocate((rows, padded(d)), np.float32)
    packed = in_reach(packer.norm(norm.gain, norm.shift))
    kernels(Operation.LAYER_NORM, packed, padded_rows(x, padded(d)), rows, padded(d), out)
    assert_same_bits(out[:, :d], layer_norm(norm, x))
    assert (out[:, d:] == 0).all()


@given(seeds, st.integers(2, 100))
def test_a_normalised_row_has_mean_0_and_variance_1(seed: int, d: int) -> None:
    x = np.random.default_rng(seed).standard_normal((2, d)).astype(np.float32)
    found = layer_norm(Norm(np.ones(d, np.float32), np.zeros(d, np.float32)), x).astype(np.float64)
    exact = x - x.mean(1, keepdims=True, dtype=np.float64)
    exact /= np.sqrt((exact**2).mean(1, keepdims=True) + 1e-5)
    assert np.abs(found - exact).max() <= 4 * d * 2.0**-24 * np.abs(x).max() / np.sqrt(x.var(1).min() + 1e-5)


@pytest.mark.parametrize("kind", [GELU, SILU], ids=["gelu", "silu"])
@given(seeds, st.sampled_from([0.1, 1.0, 30.0, 1000.0]))
def test_activations_are_those_of_the_definition(kernels: Kernels, kind: int, seed: int, scale: float) -> None:
    x = random_rows(seed, 64, scale=scale)
    found = array_of(x)
    kernels(Operation.ACTIVATE, kind, found, 64)
    assert_same_bits(found, activate(kind, x))


@pytest.mark.parametrize("kind", [RELU, GELU, SILU], ids=["relu", "gelu", "silu"])
def test_activations_far_from_zero(kind: int) -> None:
    x = np.array([-1e30, -1e4, -200, -89.5, 0, 89.5, 1e4, 1e30], np.float32)
    expected = np.where(x > 0, x, 0)
    assert np.abs(activate(kind, x) - expected).max() <= 1e-7 or np.allclose(activate(kind, x), expected, atol=1e-30)


@given(seeds, st.integers(1, 70), st.sampled_from([1.0, 22.627417]))
def test_embeddings_are_those_of_the_definition(kernels: Kernels, seed: int, d: int, scale: float) -> None:
    embedding = Embedding(random_rows(seed, 9, d), random_rows(seed + 1, 5, d), scale)
    packer, out = Packer(kernels.target), allocate((2, padded(d)), np.float32)
    packed = in_reach(packer.embedding(embedding.tokens, embedding.positions, embedding.scale))
    for row, (token, position) in enumerate(((8, 0), (3, 4))):
        kernels(Operation.EMBED, packed, token, position, padded(d), out[row])
    assert_same_bits(out[:, :d], embed(embedding, np.array([8, 3]), np.array([0, 4])))
    assert (out[:, d:] == 0).all()
