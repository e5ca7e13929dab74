"""Weighted sums of values, cut at fixed places."""

import pytest
import torch

from mtcli_kernels.dense import KEYS_AT_ONCE, weigh


@pytest.mark.parametrize("num_keys", [0, 1, 127, 128, 129, 300, 512])
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_it_is_the_matrix_product(num_keys: int, batch: tuple[int, ...]) -> None:
    weights = torch.randn(*batch, 4, num_keys, dtype=torch.float64)
    values = torch.randn(*batch, num_keys, 5, dtype=torch.float64)
    torch.testing.assert_close(weigh(weights, values), weights @ values, rtol=1e-12, atol=1e-12)


def test_gradients_flow() -> None:
    weights = torch.randn(2, 3, KEYS_AT_ONCE + 2, dtype=torch.float64, requires_grad=True)
    values = torch.randn(2, KEYS_AT_ONCE + 2, 4, dtype=torch.float64, requires_grad=True)
    ours, expected = (
        torch.autograd.grad(product.square().sum(), (weights, values))
        for product in (weigh(weights, values), weights @ values)
    )
    torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("queries", [1, 4, 5])
@pytest.mark.parametrize("length", [16, 112, 128, 144, 256, 272])
def test_keys_of_weight_0_behind_change_no_bit(dtype: torch.dtype, queries: int, length: int) -> None:
    generator = torch.Generator().manual_seed(length)
    longest = 4 * KEYS_AT_ONCE
    weights = torch.zeros(6, queries, longest)
    weights[..., :length] = torch.randn(6, queries, length, generator=generator).softmax(-1)
    values = torch.randn(6, longest, 32, generator=generator)
    weights, values = weights.to(dtype), values.to(dtype)
    own = weigh(weights[..., :length].contiguous(), values[:, :length])
    assert own.count_nonzero() > 0
    for width in range(length + 16, longest + 1, 16):
        assert weigh(weights[..., :width].contiguous(), values[:, :width]).equal(own), width
