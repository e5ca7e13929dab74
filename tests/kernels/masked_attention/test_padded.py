"""The padded form of masked attention against its definition, forward and backward."""

import pytest
import torch
from torch import Tensor

from mtcli_kernels.masked_attention import masked_attention
from mtcli_kernels.packing import Packing


def _random(lengths: list[int], heads: int = 2, head_dim: int = 8) -> Tensor:
    return torch.randn(sum(lengths), heads, head_dim, dtype=torch.float64, requires_grad=True)


CASES = {
    "uniform": ([3, 3], [3, 3], False),
    "uniform causal": ([4, 4], [4, 4], True),
    "ragged": ([1, 5, 3], [1, 5, 3], False),
    "ragged causal": ([1, 5, 3], [1, 5, 3], True),
    "cross": ([2, 7, 1], [4, 1, 6], False),
    "a source without tokens": ([2, 3], [0, 4], False),
    "a target without tokens": ([0, 3], [2, 4], False),
    "causal with an empty sentence": ([2, 0, 3], [2, 0, 3], True),
    "no source has tokens": ([2, 3], [0, 0], False),
    "no target has tokens": ([0, 0], [2, 4], False),
    "nothing at all": ([0, 0], [0, 0], True),
    "long": ([63, 64, 65], [63, 64, 65], True),
}


@pytest.mark.parametrize("case", CASES)
def test_padded_agrees_with_reference(case: str) -> None:
    torch.manual_seed(1)
    query_lengths, key_lengths, causal = CASES[case]
    q, k, v = _random(query_lengths), _random(key_lengths), _random(key_lengths)
    queries = Packing.of(query_lengths)
    keys = queries if causal else Packing.of(key_lengths)
    results = {}
    for impl in ("reference", "padded"):
        out = masked_attention(q, k, v, queries, keys, causal=causal, impl=impl)
        results[impl] = [out, *torch.autograd.grad((out * torch.arange(8)).sum(), (q, k, v))]
    for ours, expected in zip(results["padded"], results["reference"], strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("impl", ["padded", "reference"])
def test_a_query_without_keys_gives_zero_and_no_gradient(impl: str) -> None:
    q, k, v = _random([2, 1]), _random([0, 3]), _random([0, 3])
    out = masked_attention(q, k, v, Packing.of([2, 1]), Packing.of([0, 3]), impl=impl)
    assert out[:2].eq(0).all()
    assert out[2].ne(0).all()
    assert torch.autograd.grad(out.sum(), q)[0][:2].eq(0).all()


@pytest.mark.parametrize("lengths", [[2, 3], [3, 3], [0, 3], [5, 0]])
@pytest.mark.parametrize("spoilt", [0, 1])
def test_what_is_not_a_number_stays_in_its_sentence(lengths: list[int], spoilt: int) -> None:
    packing = Packing.of(lengths)
    rows = _random(lengths).detach()
    rows.split(lengths)[spoilt].fill_(torch.nan)
    inputs = [rows.clone().requires_grad_() for _ in range(3)]
    out = masked_attention(*inputs, packing, packing, impl="padded")
    for found in (out, *torch.autograd.grad(out.sum(), inputs)):
        own, others = found.split(lengths)[spoilt], found.split(lengths)[1 - spoilt]
        assert own.isnan().all()
        assert others.isfinite().all()


@pytest.mark.parametrize("key_lengths", [[0, 3], [0, 0]])
def test_a_query_without_keys_gives_zero_beside_what_is_not_a_number(key_lengths: list[int]) -> None:
    q, k, v = _random([2, 1]), _random(key_lengths), _random(key_lengths)
    with torch.no_grad():
        for rows in (q[:1], k, v):
            rows.fill_(torch.nan)
    out = masked_attention(q, k, v, Packing.of([2, 1]), Packing.of(key_lengths), impl="padded")
    assert out[:2].eq(0).all()
    assert torch.autograd.grad(out.sum(), q)[0][1].eq(0).all()


@pytest.mark.parametrize("spoilt", ["q", "k", "v"])
def test_a_target_without_tokens_gives_its_keys_no_gradient(spoilt: str) -> None:
    inputs = {"q": _random([0, 1]), "k": _random([2, 1]), "v": _random([2, 1])}
    with torch.no_grad():
        inputs[spoilt][-1] = torch.nan
    out = masked_attention(*inputs.values(), Packing.of([0, 1]), Packing.of([2, 1]), impl="padded")
    for grad in torch.autograd.grad(out.sum(), (inputs["k"], inputs["v"])):
        assert grad[:2].eq(0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_autocast_changes_no_type(dtype: torch.dtype) -> None:
    packing = Packing.of([1, 3])
    q, k, v = (torch.randn(4, 2, 8, dtype=dtype, requires_grad=True) for _ in range(3))
    with torch.autocast("cpu", torch.bfloat16):
        out = masked_attention(q, k, v, packing, packing, causal=True, impl="padded")
    expected = masked_attention(q, k, v, packing, packing, causal=True, impl="padded")
    for ours, without in zip(
        (out, *torch.autograd.grad(out.sum(), (q, k, v))),
        (expected, *torch.autograd.grad(expected.sum(), (q, k, v))),
        strict=True,
    ):
        assert ours.dtype == dtype
        assert ours.equal(without)


def test_a_second_derivative_is_refused() -> None:
    packing = Packing.of([1, 3])
    q = _random([1, 3])
    [grad] = torch.autograd.grad(
        masked_attention(q, 2 * q, 3 * q, packing, packing, impl="padded").square().sum(), q, create_graph=True
    )
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.square().sum().backward()


def test_all_may_be_dropped() -> None:
    packing, x = Packing.of([1, 3]), _random([1, 3])
    out = masked_attention(x, x, x, packing, packing, dropout=1.0, impl="padded")
    assert out.eq(0).all()
    assert torch.autograd.grad(out.sum(), x)[0].eq(0).all()


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("causal", [False, True])
def test_gradients_are_those_of_small_differences(dropout: float, causal: bool) -> None:
    queries = Packing.of([1, 4])
    keys = queries if causal else Packing.of([3, 2])

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        torch.manual_seed(5)  # drops the same weights each time
        return masked_attention(q, k, v, queries, keys, causal=causal, dropout=dropout, impl="padded")

    assert torch.autograd.gradcheck(attend, tuple(_random(lengths, 2, 3) for lengths in ([1, 4], *2 * ([2, 3],))))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_padding_counts_for_nothing_in_any_dtype(dtype: torch.dtype) -> None:
    torch.manual_seed(2)
    q, k, v = (torch.randn(5, 2, 8).to(dtype) for _ in range(3))
    packing = Packing.of([1, 4])
    out = masked_attention(q, k, v, packing, packing, causal=True)
    assert out.isfinite().all()
    torch.testing.assert_close(out[0], v[0])  # the first sentence has one token: it sees itself alone


def test_causal_attention_ignores_the_future() -> None:
    packing = Packing.of([5])
    q, k, v = _random([5]), _random([5]), _random([5])
    before = masked_attention(q, k, v, packing, packing, causal=True)
    with torch.no_grad():
        k[3:] += 1.0
        v[3:] -= 1.0
    after = masked_attention(q, k, v, packing, packing, causal=True)
    assert before[:3].equal(after[:3])
    assert not before[3:].equal(after[3:])


@pytest.mark.parametrize("impl", ["padded", "reference"])
def test_dropout_keeps_the_mean(impl: str) -> None:
    torch.manual_seed(3)
    packing = Packing.of([4] * 2000)
    q, k = (torch.zeros(8000, 1, 4) for _ in range(2))
    out = masked_attention(q, k, torch.ones(8000, 1, 4), packing, packing, dropout=0.5, impl=impl)
    assert out.mean().item() == pytest.approx(1.0, abs=0.02)
    assert out.std().item() > 0.3


@pytest.mark.parametrize("impl", ["padded", "reference"])
def test_causal_attention_with_dropout_still_ignores_the_future(impl: str) -> None:
    packing = Packing.of([6, 2])
    q, k, v = (torch.zeros(8, 1, 4) for _ in range(3))
    v[5] = v[7] = 1.0  # the last token of each sentence
    out = masked_attention(q, k, v, packing, packing, causal=True, dropout=0.3, impl=impl)
    assert out[[0, 1, 2, 3, 4, 6]].eq(0).all()
