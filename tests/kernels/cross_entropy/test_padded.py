"""The vectorised form against the definition, and what it does to its logits."""

import pytest
import torch
import torch.nn.functional as F
from support.accuracy import assert_as_exact_as_eager
from torch import Tensor

from mtcli_kernels.cross_entropy import cross_entropy, padded


def results(logits: Tensor, targets: Tensor, grad: Tensor, smoothing: float, impl: str) -> tuple[Tensor, ...]:
    """Loss, nll and the logits' gradient; the logits given stay as they are."""
    consumed = logits.detach().clone().requires_grad_()
    loss, nll = cross_entropy(consumed, targets, label_smoothing=smoothing, impl=impl)
    return loss.detach(), nll, *torch.autograd.grad(loss, consumed, grad.to(loss.dtype))


def check(logits: Tensor, targets: Tensor, smoothing: float = 0.1) -> None:
    grad = torch.randn(logits.shape[0], dtype=torch.float64)
    ours = results(logits, targets, grad, smoothing, "padded")
    eager = results(logits, targets, grad, smoothing, "reference")
    exact = results(logits.double(), targets, grad, smoothing, "reference")
    for name, *values in zip(("loss", "nll", "gradient"), ours, eager, exact, strict=True):
        if name == "gradient" and logits.shape[1] == 1:  # the exact one is 0, which gives errors no scale
            assert (values[0].abs() <= 1e-6).all()
            continue
        assert_as_exact_as_eager(*values, name=name)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("vocabulary", [1, 2, 7, 1000, 4097, 32001])
def test_loss_and_gradient_are_those_of_the_definition(vocabulary: int, smoothing: float, dtype: torch.dtype) -> None:
    torch.manual_seed(vocabulary)
    targets = torch.randint(0, vocabulary, (5,))
    targets[1] = -100
    check(3 * torch.randn(5, vocabulary, dtype=dtype), targets, smoothing)


@pytest.mark.parametrize("num_rows", [0, 1, 4, 5, 6, 11])
def test_rows_of_several_chunks(num_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(padded._CHUNK_NUMBERS, "cpu", 5 * 7)
    torch.manual_seed(num_rows)
    check(torch.randn(num_rows, 7), torch.randint(0, 7, (num_rows,)))


def test_rows_longer_than_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(padded._CHUNK_NUMBERS, "cpu", 3)
    torch.manual_seed(1)
    check(torch.randn(4, 7), torch.randint(0, 7, (4,)))


@pytest.mark.parametrize("layout", ["transposed", "every other row", "part of a row", "expanded"])
def test_any_strides(layout: str) -> None:
    torch.manual_seed(1)
    wide = torch.randn(14, 14, dtype=torch.float64)
    logits = {
        "transposed": wide[:9, :6].t(),
        "every other row": wide[::2, :9][:6],
        "part of a row": wide[:6, 3:12],
        "expanded": wide[:1, :9].expand(6, 9),
    }[layout]
    targets, grad = torch.randint(0, 9, (6,)), torch.randn(6, dtype=torch.float64)
    base = wide.clone().requires_grad_()
    loss, _ = cross_entropy(
        (base * 1).as_strided(logits.shape, logits.stride(), logits.storage_offset()), targets, impl="padded"
    )
    (ours,) = torch.autograd.grad(loss, base, grad)
    views = base.as_strided(logits.shape, logits.stride(), logits.storage_offset())
    (expected,) = torch.autograd.grad(F.cross_entropy(views, targets, reduction="none"), base, grad)
    torch.testing.assert_close(ours, expected)


def test_large_logits_stay_finite() -> None:
    torch.manual_seed(1)
    check(1e4 * torch.randn(6, 50), torch.randint(0, 50, (6,)), 0.0)
    check(1e4 * torch.randn(6, 50), torch.randint(0, 50, (6,)), 0.1)


def test_a_banned_token_is_no_obstacle_without_smoothing() -> None:
    torch.manual_seed(1)
    logits = torch.randn(3, 8)
    logits[:, 5] = float("-inf")
    loss, nll, grad = results(logits, torch.tensor([0, 1, 7]), torch.ones(3), 0.0, "padded")
    assert loss.isfinite().all()
    assert torch.equal(loss, nll)
    assert (grad[:, 5] == 0).all()
    assert grad.isfinite().all()


def test_a_banned_token_and_smoothing_give_an_infinite_loss_as_in_torch() -> None:
    logits, targets = torch.zeros(1, 4), torch.tensor([0])
    logits[0, 2] = float("-inf")
    loss, nll, grad = results(logits, targets, torch.ones(1), 0.1, "padded")
    expected = logits.clone().requires_grad_()
    theirs = F.cross_entropy(expected, targets, label_smoothing=0.1)
    assert loss.item() == theirs.item() == float("inf")
    assert nll.isfinite().all()
    torch.testing.assert_close(grad, torch.autograd.grad(theirs, expected)[0])


def test_an_ignored_row_counts_for_nothing_whatever_it_holds() -> None:
    logits = torch.full((2, 4), float("nan"))
    logits[0] = 0.0
    for part in results(logits, torch.tensor([3, -100]), torch.ones(2), 0.1, "padded"):
        assert part.isfinite().all()
        assert (part[1] == 0).all()


def test_forward_leaves_the_logits_and_keeps_no_copy() -> None:
    logits = torch.randn(5, 300, dtype=torch.bfloat16, requires_grad=True)
    before, kept = logits.detach().clone(), list[Tensor]()

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        cross_entropy(logits, torch.arange(5), impl="padded")
    assert torch.equal(logits, before)
    large = [tensor for tensor in kept if tensor.numel() > 5]
    assert [tensor.data_ptr() for tensor in large] == [logits.data_ptr()]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_backward_writes_the_gradient_over_the_logits(dtype: torch.dtype) -> None:
    logits = torch.randn(4, 6, dtype=dtype, requires_grad=True) * 1
    loss, _ = cross_entropy(logits, torch.arange(4), impl="padded")
    (grad,) = torch.autograd.grad(loss.sum(), logits)
    assert grad.data_ptr() == logits.data_ptr()
    assert not grad.requires_grad


def test_a_second_backward_is_an_error() -> None:
    logits = torch.randn(4, 6, requires_grad=True)
    loss, _ = cross_entropy(logits, torch.arange(4), impl="padded")
    loss.sum().backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.sum().backward()


def test_a_second_derivative_is_an_error() -> None:
    logits = torch.randn(4, 6, requires_grad=True)
    loss, _ = cross_entropy(logits, torch.arange(4), impl="padded")
    with pytest.raises(RuntimeError, match="no second derivative"):
        torch.autograd.grad(loss.sum(), logits, create_graph=True)


def test_an_operation_that_needs_the_logits_afterwards_is_an_error() -> None:
    leaf = torch.randn(4, 6, requires_grad=True)
    loss, _ = cross_entropy(leaf.exp(), torch.arange(4), impl="padded")  # the gradient of exp is exp
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.sum().backward()
