"""The kernels of masked attention against its definition, forward and backward.

Axes: N packed tokens, H heads, D head size.
"""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.accuracy import assert_as_exact_as_eager
from support.slow import slow
from torch import Tensor

from mtcli_kernels.dispatch import UnavailableError
from mtcli_kernels.masked_attention import masked_attention
from mtcli_kernels.masked_attention.op import (
    masked_attention_anchored_op,
    masked_attention_backward_op,
    masked_attention_op,
)
from mtcli_kernels.packing import Packing

# Around the tiles' 16, 32 and 64 rows, and so that tiles begin and end inside sentences.
EDGES = [1, 2, 15, 16, 17, 63, 64, 65, 127]
NAMES = ("out", "dq", "dk", "dv")


def _random(lengths: Sequence[int], device: torch.device, dtype: torch.dtype, heads: int, head_dim: int) -> Tensor:
    # Drawn on the CPU: the same numbers on every device
    return torch.randn(sum(lengths), heads, head_dim).to(device, dtype)


def _results(impl: str, inputs: Sequence[Tensor], queries: Packing, keys: Packing, causal: bool) -> list[Tensor]:
    """[out, dq, dk, dv] from inputs q, k, v, dout."""
    *leaves, dout = inputs
    leaves = [x.detach().requires_grad_() for x in leaves]
    out = masked_attention(*leaves, queries, keys, causal=causal, impl=impl)
    return [out.detach(), *torch.autograd.grad(out, leaves, dout)]


def _assert_exact(inputs: Sequence[Tensor], queries: Packing, keys: Packing, causal: bool) -> list[Tensor]:
    """Both forms of the kernels are as exact as eager PyTorch; gives [out, dq, dk, dv] of the interval form."""
    exact = _results("reference", [x.double() for x in inputs], queries, keys, causal)
    eager = _results("reference", inputs, queries, keys, causal)
    ours = _results("triton", inputs, queries, keys, causal)
    for name, *three in zip(NAMES, ours, eager, exact, strict=True):
        assert_as_exact_as_eager(*three, name=name)
    with torch.no_grad():
        anchored = masked_attention(*inputs[:3], queries, keys, causal=causal, impl="triton")
    assert_as_exact_as_eager(anchored, eager[0], exact[0], name="anchored out")
    return ours


def _assert_exact_on(
    query_lengths: Sequence[int],
    key_lengths: Sequence[int],
    device: torch.device,
    dtype: torch.dtype,
    *,
    causal: bool = False,
    heads: int = 1,
    head_dim: int = 32,
) -> list[Tensor]:
    torch.manual_seed(1)
    queries = Packing.of(query_lengths, device)
    keys = queries if list(query_lengths) == list(key_lengths) else Packing.of(key_lengths, device)
    q, k, v, dout = (
        _random(lengths, device, dtype, heads, head_dim)
        for lengths in (query_lengths, key_lengths, key_lengths, query_lengths)
    )
    return _assert_exact([q, k, v, dout], queries, keys, causal)


@pytest.mark.parametrize(
    ("key_lengths", "causal"),
    [(EDGES, False), (EDGES, True), ([65, 2, 63, 127, 1, 64, 15, 17, 16], False)],
    ids=["self", "causal", "cross"],
)
def test_agrees_around_the_edges_of_tiles(
    key_lengths: list[int], causal: bool, device: torch.device, dtype: torch.dtype
) -> None:
    _assert_exact_on(EDGES, key_lengths, device, dtype, causal=causal, head_dim=16)


@pytest.mark.parametrize("head_dim", [1, 32, 48, *slow(8, 16, 64, 80, 128)])
def test_agrees_at_every_head_size(head_dim: int, device: torch.device, dtype: torch.dtype) -> None:
    _assert_exact_on([3, 20, 1], [9, 2, 30], device, dtype, heads=2, head_dim=head_dim)


@pytest.mark.parametrize("causal", [False, True])
def test_agrees_on_a_sentence_of_several_tiles(causal: bool, device: torch.device) -> None:
    _assert_exact_on([200], [200], device, torch.float16, causal=causal)


@pytest.mark.parametrize(
    ("query_lengths", "key_lengths"),
    [([2, 0, 3, 1], [0, 4, 2, 0]), ([2, 70, 1], [0, 0, 5]), ([3, 2], [0, 0]), ([0, 0], [3, 2]), ([0, 0], [0, 0])],
)
def test_a_query_without_keys_gives_zeros_and_zero_gradients(
    query_lengths: list[int], key_lengths: list[int], device: torch.device, dtype: torch.dtype
) -> None:
    out, dq, dk, dv = _assert_exact_on(query_lengths, key_lengths, device, dtype)
    queries, keys = Packing.of(query_lengths, device), Packing.of(key_lengths, device)
    blind = queries.per_token(keys.lengths) == 0
    assert out[blind].eq(0).all()
    assert dq[blind].eq(0).all()
    unseen = keys.per_token(queries.lengths) == 0
    assert dk[unseen].eq(0).all()
    assert dv[unseen].eq(0).all()


def test_a_token_alone_takes_its_own_value_and_teaches_q_and_k_nothing(
    device: torch.device, dtype: torch.dtype
) -> None:
    torch.manual_seed(1)
    packing = Packing.of([1] * 20, device)
    q, k, v, dout = (_random([20], device, dtype, 1, 16) for _ in range(4))
    out, dq, dk, dv = _results("triton", [q, k, v, dout], packing, packing, True)
    torch.testing.assert_close(out, v)
    torch.testing.assert_close(dv, dout)
    for gradient in (dq, dk):
        torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-5, rtol=0.0)


@pytest.mark.parametrize("needs_grad", [False, True])
def test_a_batch_without_sentences_is_empty(needs_grad: bool, device: torch.device) -> None:
    packing = Packing.of([], device)
    x = torch.empty(0, 2, 16, device=device, requires_grad=needs_grad)
    assert masked_attention(x, x, x, packing, packing, causal=True, impl="triton").shape == (0, 2, 16)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    pairs=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=4),
    causal=st.booleans(),
    is_half=st.booleans(),
)
def test_agrees_on_any_lengths(pairs: list[tuple[int, int]], causal: bool, is_half: bool, device: torch.device) -> None:
    # A sentence of one key has exact dq and dk of 0, which leave no room for a rounding: there is always one with more
    query_lengths, key_lengths = ([8, *(pair[i] for pair in pairs)] for i in (0, 0 if causal else 1))
    dtype = torch.float16 if is_half else torch.float32
    _assert_exact_on(query_lengths, key_lengths, device, dtype, causal=causal, head_dim=16)


LAYOUTS = (
    # As a fused projection gives q, k and v: side by side in one [N, 3, H, D]
    lambda x: torch.stack([x, x.new_full(x.shape, torch.nan), x], 1)[:, 2],
    lambda x: x.transpose(0, 1).contiguous().transpose(0, 1),  # heads before tokens
    lambda x: x.repeat_interleave(2, 0)[::2],  # every other token
    lambda x: x.transpose(1, 2).contiguous().transpose(1, 2),  # a head's numbers apart: the operator has to copy
)


@pytest.mark.parametrize("turn", [0, *slow(1, 2, 3)])
def test_strides_may_be_any_and_differ(turn: int, device: torch.device) -> None:
    torch.manual_seed(1)
    queries, keys = Packing.of([3, 30], device), Packing.of([18, 5], device)
    inputs = [_random([n], device, torch.float32, 2, 16) for n in (33, 23, 23, 33)]
    inputs = [LAYOUTS[(i + turn) % 4](x) for i, x in enumerate(inputs)]
    _assert_exact(inputs, queries, keys, causal=False)


def test_one_gradient_may_be_spread_over_all_of_the_output(device: torch.device) -> None:
    torch.manual_seed(1)
    packing = Packing.of([3, 30], device)
    q, k, v = (_random([33], device, torch.float32, 2, 16) for _ in range(3))
    dout = torch.ones((), device=device).expand_as(q)  # as from out.sum(): all strides are 0
    _assert_exact([q, k, v, dout], packing, packing, causal=True)


@pytest.mark.filterwarnings("ignore:overflow encountered in exp2")  # of scores behind the mask, in NumPy
def test_scores_far_from_zero_do_not_overflow(device: torch.device) -> None:
    torch.manual_seed(1)
    packing = Packing.of([5, 20], device)
    inputs = [factor * _random([25], device, torch.float32, 1, 16) for factor in (40, 40, 1, 1)]
    exact, eager, ours = (
        _results(impl, [x.to(dtype) for x in inputs], packing, packing, True)
        for impl, dtype in (("reference", torch.float64), ("reference", torch.float32), ("triton", torch.float32))
    )
    assert_as_exact_as_eager(ours[0], eager[0], exact[0])
    # Each softmax has one weight of 1: the gradients of q and k are differences of equal numbers
    for ours_, exact_ in zip(ours[1:], exact[1:], strict=True):
        torch.testing.assert_close(ours_, exact_.float(), atol=1e-3, rtol=1e-4)


def test_two_runs_give_the_same_bits(device: torch.device, dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    packing = Packing.of([40, 1, 33], device)
    inputs = [_random([74], device, dtype, 1, 32) for _ in range(4)]
    for once, again in zip(*(_results("triton", inputs, packing, packing, True) for _ in range(2)), strict=True):
        assert once.equal(again)


@pytest.mark.parametrize("causal", [False, True])
def test_without_gradients_a_sentence_does_not_depend_on_its_batch(
    causal: bool, device: torch.device, dtype: torch.dtype
) -> None:
    torch.manual_seed(1)
    lengths = [70, 7, 33, 0, 18]
    q, k, v = (_random(lengths, device, dtype, 2, 32).split(lengths) for _ in range(3))

    def attend(*sentences: int) -> dict[int, Tensor]:
        rows = (torch.cat([x[i] for i in sentences]) for x in (q, k, v))
        packing = Packing.of([lengths[i] for i in sentences], device)
        with torch.no_grad():
            out = masked_attention(*rows, packing, packing, causal=causal, impl="triton")
        return dict(zip(sentences, out.split(packing.lengths.tolist()), strict=True))

    together = attend(0, 1, 2, 3, 4)
    for others in ([4, 3, 2, 1, 0], [1, 2], [2, 4], [4, 1], [0], [1], [2], [4]):
        for i, alone in attend(*others).items():
            assert alone.equal(together[i]), f"sentence {i} among {others}"


def test_nothing_is_kept_for_a_backward_pass_that_will_not_come(device: torch.device) -> None:
    packing = Packing.of([3], device)
    x = torch.randn(3, 1, 16, device=device)
    assert masked_attention(x, x, x, packing, packing, impl="triton").grad_fn is None
    assert not packing._intervals
    out = masked_attention(x, x, x.requires_grad_(), packing, packing, impl="triton")
    assert out.requires_grad
    assert packing._intervals


def test_the_kernels_drop_no_attention_weights(device: torch.device) -> None:
    packing = Packing.of([3], device)
    x = torch.zeros(3, 1, 16, device=device)
    with pytest.raises(UnavailableError, match=r"drop no attention weights; dropout = 0\.1"):
        masked_attention(x, x, x, packing, packing, dropout=0.1, impl="triton")


def _op_inputs(device: torch.device, causal: bool = False) -> tuple[list[Tensor], list[Tensor], Packing, Packing]:
    """q, k, v; the intervals' bounds; the packings."""
    torch.manual_seed(1)
    lengths = [2, 0, 5], [2, 0, 5] if causal else [3, 1, 0]
    queries, keys = (Packing.of(one, device) for one in lengths)
    qkv = [_random(one, device, torch.float32, 2, 16) for one in (lengths[0], lengths[1], lengths[1])]
    return qkv, list(vars(queries.intervals(keys, causal)).values()), queries, keys


def test_lse_is_the_base_2_logarithm_of_the_summed_powers(device: torch.device) -> None:
    (q, k, v), bounds, _, _ = _op_inputs(device)
    _, lse = masked_attention_op(q, k, v, *bounds, 0.5)
    scores = 0.5 * torch.einsum("thd,shd->hts", q[:2], k[:3])
    torch.testing.assert_close(lse[:, :2], scores.exp().sum(-1).log2())
    assert lse[:, 2:].eq(torch.inf).all()


def test_intervals_may_be_any(device: torch.device) -> None:
    torch.manual_seed(1)
    q, k, v, dout = (_random([n], device, torch.float32, 1, 16) for n in (20, 70, 70, 20))
    lo = torch.randint(0, 2, (20,), dtype=torch.int32, device=device)
    hi = torch.randint(35, 71, (20,), dtype=torch.int32, device=device)
    every = torch.zeros(70, dtype=torch.int32, device=device)
    hidden = (torch.arange(70, device=device) < lo[:, None]) | (torch.arange(70, device=device) >= hi[:, None])
    results = {}
    for name in ("exact", "eager", "ours"):
        leaves = [(x.double() if name == "exact" else x).clone().requires_grad_() for x in (q, k, v)]
        if name == "ours":
            out, _ = masked_attention_op(*leaves, lo, hi, every, every + 20, 0.25)
        else:
            scores = torch.einsum("thd,shd->hts", *leaves[:2]) * 0.25
            out = torch.einsum("hts,shd->thd", scores.masked_fill(hidden, -torch.inf).softmax(-1), leaves[2])
        results[name] = [out.detach(), *torch.autograd.grad(out, leaves, dout.to(out.dtype))]
    for name, *three in zip(NAMES, results["ours"], results["eager"], results["exact"], strict=True):
        assert_as_exact_as_eager(*three, name=name)


@pytest.mark.parametrize("causal", [False, True])
def test_operators_are_registered_rightly(causal: bool, device: torch.device) -> None:
    (q, k, v), bounds, queries, keys = _op_inputs(device, causal)
    leaves = [x.clone().requires_grad_() for x in (q, k, v)]
    torch.library.opcheck(masked_attention_op, (*leaves, *bounds, 0.5))
    out, lse = masked_attention_op(q, k, v, *bounds, 0.5)
    torch.library.opcheck(masked_attention_backward_op, (torch.ones_like(q), q, k, v, out, lse, *bounds, 0.5))
    rows = (queries.starts, queries.lengths, keys.starts, keys.lengths)
    torch.library.opcheck(masked_attention_anchored_op, (q, k, v, *rows, 5, causal, 0.5))


def test_compiled_without_a_graph_break_a_layer_gives_the_same(device: torch.device) -> None:
    (q, _, _), causal_bounds, queries, _ = _op_inputs(device, causal=True)
    _, cross_bounds, _, keys = _op_inputs(device)
    memory = _random([4], device, torch.float32, 2, 16)
    rows = (queries.starts, queries.lengths, keys.starts, keys.lengths)

    def layer(x: Tensor, y: Tensor) -> Tensor:
        x = x + masked_attention_op(x, 2 * x, x, *causal_bounds, 0.25)[0]
        return x * masked_attention_op(x, y, y, *cross_bounds, 0.25)[0]

    def encode(x: Tensor, y: Tensor) -> Tensor:
        x = masked_attention_anchored_op(x, y, y, *rows, queries.max_length, False, 0.25)
        return masked_attention(x, x, x, queries, queries, causal=True, impl="triton")

    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    results = []
    for function in (layer, compiled):
        leaves = [x.clone().requires_grad_() for x in (q, memory)]
        out = function(*leaves)
        results.append([out, *torch.autograd.grad(out.square().sum(), leaves)])
    for ours, expected in zip(*results, strict=True):
        torch.testing.assert_close(ours, expected)
    expected = encode(q, memory)
    assert torch.compile(encode, fullgraph=True, backend="aot_eager")(q, memory).equal(expected)


# A training batch of 25,000 tokens in sentences of up to 100, as base and big models see it; and long documents.
def _sentences(total: int, longest: int) -> list[int]:
    generator = torch.Generator().manual_seed(2)
    lengths = []
    while (left := total - sum(lengths)) > 0:
        lengths.append(min(left, int(torch.randint(1, longest + 1, (), generator=generator))))
    return lengths


@pytest.mark.gpu
@pytest.mark.parametrize("kind", ["self", "causal", "cross"])
@pytest.mark.parametrize(("heads", "head_dim"), [(8, 64), (16, 64), (8, 128), (8, 32)])
@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_agrees_on_a_training_batch(kind: str, heads: int, head_dim: int, half: str, device: torch.device) -> None:
    query_lengths = _sentences(25_000, 100)
    # Sources 0 to 20 tokens longer or shorter than their targets, some empty
    key_lengths = [max(0, n + 7 * i % 41 - 20) for i, n in enumerate(query_lengths)]
    _assert_exact_on(
        query_lengths,
        key_lengths if kind == "cross" else query_lengths,
        device,
        getattr(torch, half),
        causal=kind == "causal",
        heads=heads,
        head_dim=head_dim,
    )


@pytest.mark.gpu
@pytest.mark.parametrize("causal", [False, True])
def test_agrees_on_long_documents(causal: bool, device: torch.device, dtype: torch.dtype) -> None:
    lengths = [2048, 1, 777, 1000]
    _assert_exact_on(lengths, lengths, device, dtype, causal=causal, heads=4, head_dim=64)


@pytest.mark.gpu
@pytest.mark.parametrize("half", ["float16", "bfloat16"])
@pytest.mark.parametrize("head_dim", [64, 128])
def test_a_large_batch_changes_no_bit_of_a_sentence(half: str, head_dim: int, device: torch.device) -> None:
    torch.manual_seed(1)
    lengths = _sentences(25_000, 200)
    packing = Packing.of(lengths, device)
    q, k, v = (_random(lengths, device, getattr(torch, half), 8, head_dim) for _ in range(3))
    with torch.no_grad():
        together = masked_attention(q, k, v, packing, packing, impl="triton").split(lengths)
        for i in range(0, len(lengths), 10):
            alone = Packing.of([lengths[i]], device)
            rows = (x.split(lengths)[i].clone() for x in (q, k, v))
            assert masked_attention(*rows, alone, alone, impl="triton").equal(together[i]), f"sentence {i}"


@pytest.mark.gpu
def test_two_runs_of_a_training_batch_give_the_same_bits(device: torch.device) -> None:
    torch.manual_seed(1)
    lengths = _sentences(25_000, 100)
    packing = Packing.of(lengths, device)
    inputs = [_random(lengths, device, torch.bfloat16, 8, 64) for _ in range(4)]
    runs = [_results("triton", inputs, packing, packing, True) for _ in range(3)]
    for once, *others in zip(*runs, strict=True):
        assert all(once.equal(other) for other in others)


def test_gradients_flow_through_one_compiled_graph_of_the_public_function(device: torch.device) -> None:
    packing = Packing.of([3, 1], device)
    packing.intervals(packing, causal=True)  # a Packing is laid out before it is compiled
    q = torch.randn(4, 2, 16, requires_grad=True, device=device)

    def attend(x: torch.Tensor) -> torch.Tensor:
        return masked_attention(x, x, x, packing, packing, causal=True, impl="triton").sum()

    compiled = torch.compile(attend, fullgraph=True, backend="aot_eager")
    [ours], [expected] = (torch.autograd.grad(function(q), q) for function in (compiled, attend))
    torch.testing.assert_close(ours, expected)
