"""Masked attention through PyTorch's scaled_dot_product_attention against its definition, forward and backward."""

import pytest
import torch
from torch import Tensor

from mtcli_kernels.masked_attention import masked_attention
from mtcli_kernels.packing import Packing

CASES = {
    "uniform": ([3, 3], [3, 3], False),
    "uniform causal": ([4, 4], [4, 4], True),
    "uniform keys alone": ([1, 5], [4, 4], False),
    "uniform queries alone": ([4, 4], [1, 5], False),
    "ragged": ([1, 5, 3], [1, 5, 3], False),
    "ragged causal": ([1, 5, 3], [1, 5, 3], True),
    "cross": ([2, 7, 1], [4, 1, 6], False),
    "a source without tokens": ([2, 3], [0, 4], False),
    "a target without tokens": ([0, 3], [2, 4], False),
    "causal with an empty sentence": ([2, 0, 3], [2, 0, 3], True),
    "no source has tokens": ([2, 3], [0, 0], False),
    "no target has tokens": ([0, 0], [2, 4], False),
    "nothing at all": ([0, 0], [0, 0], True),
}


def _random(lengths: list[int]) -> Tensor:
    return torch.randn(sum(lengths), 2, 8, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("case", CASES)
def test_sdpa_agrees_with_reference(case: str) -> None:
    torch.manual_seed(1)
    query_lengths, key_lengths, causal = CASES[case]
    inputs = _random(query_lengths), _random(key_lengths), _random(key_lengths)
    queries, keys = Packing.of(query_lengths), Packing.of(key_lengths)
    results = {}
    for impl in ("reference", "sdpa"):
        out = masked_attention(*inputs, queries, keys, causal=causal, impl=impl)
        results[impl] = [out, *torch.autograd.grad((out * torch.arange(8)).sum(), inputs)]
    for ours, expected in zip(results["sdpa"], results["reference"], strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("causal", [False, True])
def test_what_sees_nothing_gives_zero_and_no_gradient_in_any_dtype(dtype: torch.dtype, causal: bool) -> None:
    torch.manual_seed(2)
    queries, keys = Packing.of([0, 2, 3] if causal else [2, 1, 2]), Packing.of([0, 2, 3])
    q, k, v = (torch.randn(5, 2, 8).to(dtype).requires_grad_() for _ in range(3))
    out = masked_attention(q, k, v, queries, keys, causal=causal, impl="sdpa")
    gradients = torch.autograd.grad(out.float().square().sum(), (q, k, v))
    assert all(x.isfinite().all() for x in (out, *gradients))
    if not causal:
        assert out[:2].eq(0).all()
        assert gradients[0][:2].eq(0).all()


def test_dropout_keeps_the_mean_and_the_mask() -> None:
    torch.manual_seed(3)
    lengths = [4, 3] * 1000
    packing = Packing.of(lengths)
    q, k = (torch.zeros(7000, 1, 4) for _ in range(2))
    out = masked_attention(q, k, torch.ones(7000, 1, 4), packing, packing, dropout=0.5, impl="sdpa")
    assert out.mean().item() == pytest.approx(1.0, abs=0.02)
    assert out.std().item() > 0.3
    v = (packing.positions == packing.per_token(packing.lengths) - 1).float()[:, None, None].expand(7000, 1, 4)
    early = packing.positions < packing.per_token(packing.lengths) - 1
    out = masked_attention(q, k, v, packing, packing, causal=True, dropout=0.5, impl="sdpa")
    assert out[early].eq(0).all()
    assert out[~early].ne(0).any()
