"""The output layer's loss against torch's own cross-entropy in float64."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mtcli_kernels.cross_entropy import chunked, linear_cross_entropy
from mtcli_kernels.dispatch import UnavailableError


def check(num_rows: int, smoothing: float, impl: str) -> None:
    torch.manual_seed(num_rows)
    states = torch.randn(num_rows, 16, requires_grad=True)
    weight = torch.randn(50, 16, requires_grad=True)
    targets = torch.randint(0, 50, (num_rows,))
    ours, nll = linear_cross_entropy(states, weight, targets, label_smoothing=smoothing, impl=impl)
    grads = torch.autograd.grad(3 * ours, (states, weight))
    wide_states, wide_weight = (x.detach().double().requires_grad_() for x in (states, weight))
    logits = wide_states @ wide_weight.t()
    expected = F.cross_entropy(logits, targets, label_smoothing=smoothing, reduction="sum")
    expected_grads = torch.autograd.grad(3 * expected, (wide_states, wide_weight))
    assert ours.item() == pytest.approx(expected.item(), rel=1e-5)
    assert nll.item() == pytest.approx(F.cross_entropy(logits, targets, reduction="sum").item(), rel=1e-5)
    assert not nll.requires_grad
    for grad, reference in zip(grads, expected_grads, strict=True):
        torch.testing.assert_close(grad.double(), reference, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("num_rows", [0, 1, 7, 8, 9, 40])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("impl", ["auto", "padded", "reference"])
def test_loss_and_gradients_agree_with_cross_entropy(
    num_rows: int, smoothing: float, impl: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(chunked._CHUNK_ROWS, "cpu", 8)
    check(num_rows, smoothing, impl)


def test_large_logits_stay_finite() -> None:
    states = torch.full((2, 4), 100.0, requires_grad=True)
    weight = torch.tensor([[100.0] * 4, [-100.0] * 4], requires_grad=True)
    loss, nll = linear_cross_entropy(states, weight, torch.tensor([0, 1]), label_smoothing=0.0)
    loss.backward()
    assert nll.item() == pytest.approx(80_000.0)
    assert states.grad is not None
    assert states.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_small_logits_need_no_shift(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their exponentials are as exact without the largest one subtracted."""
    torch.manual_seed(2)
    states, weight = torch.randn(20, 16, requires_grad=True), torch.randn(50, 16, requires_grad=True)
    targets = torch.randint(0, 50, (20,))
    assert chunked._are_small(states.detach(), weight.detach())
    results = []
    for largest in (chunked._LARGEST_EXPONENT, 0.0):
        monkeypatch.setattr(chunked, "_LARGEST_EXPONENT", largest)
        loss, nll = linear_cross_entropy(states, weight, targets, label_smoothing=0.1, dtype=dtype)
        results.append([loss, nll, *torch.autograd.grad(loss, (states, weight))])
    tolerance = 1e-5 if dtype == torch.float32 else 0.02
    for ours, shifted in zip(*results, strict=True):
        torch.testing.assert_close(ours, shifted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("size", "small"), [(1.0, True), (70.0, True), (80.0, False), (torch.inf, False), (torch.nan, False)]
)
def test_logits_are_small_if_a_sum_of_exponentials_is_finite(size: float, small: bool) -> None:
    states, weight = torch.tensor([[0.0, 1.0], [size, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 0.5], [0.5, 0.5]])
    assert chunked._are_small(states, weight) == small
    assert not small or (states @ weight.t()).exp().sum().isfinite()


@pytest.mark.parametrize(("states", "weight"), [([[7.8e-4]], [[1e5], [-1e5]]), ([[1e6]], [[-7.8e-5], [-7.8e-5]])])
def test_products_with_small_logits_stay_finite(states: list[list[float]], weight: list[list[float]]) -> None:
    inputs = torch.tensor(states, requires_grad=True), torch.tensor(weight, requires_grad=True)
    loss, _ = linear_cross_entropy(*inputs, torch.tensor([0]), label_smoothing=0.1)
    assert all(grad.isfinite().all() for grad in (loss, *torch.autograd.grad(loss, inputs)))


def test_gradients_flow_through_one_compiled_graph() -> None:
    states, weight = torch.randn(5, 4, requires_grad=True), torch.randn(7, 4, requires_grad=True)
    targets = torch.arange(5)

    def loss(h: Tensor, w: Tensor) -> Tensor:
        return linear_cross_entropy(h, w, targets, label_smoothing=0.1, impl="padded")[0]

    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    ours, expected = (torch.autograd.grad(function(states, weight), (states, weight)) for function in (compiled, loss))
    torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("impl", ["padded", "reference"])
def test_bfloat16_is_close_to_float32(impl: str) -> None:
    torch.manual_seed(1)
    states, weight = torch.randn(30, 16), torch.randn(50, 16)
    targets = torch.randint(0, 50, (30,))
    exact, _ = linear_cross_entropy(states, weight, targets, label_smoothing=0.1, impl=impl)
    low, _ = linear_cross_entropy(states, weight, targets, label_smoothing=0.1, dtype=torch.bfloat16, impl=impl)
    assert low.item() == pytest.approx(exact.item(), rel=0.01)
    assert low.dtype == torch.float32


@pytest.mark.parametrize("impl", ["padded", "reference"])
def test_gradients_have_the_types_of_their_inputs(impl: str) -> None:
    states = torch.randn(3, 4, dtype=torch.bfloat16, requires_grad=True)
    weight = torch.randn(5, 4, requires_grad=True)
    loss, _ = linear_cross_entropy(
        states, weight, torch.arange(3), label_smoothing=0.1, dtype=torch.bfloat16, impl=impl
    )
    grad_states, grad_weight = torch.autograd.grad(loss, (states, weight))
    assert (grad_states.dtype, grad_weight.dtype) == (torch.bfloat16, torch.float32)


def test_float64_is_computed_in_float64() -> None:
    torch.manual_seed(1)
    states, weight = torch.randn(3, 4, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
    ours, theirs = (
        linear_cross_entropy(states, weight, torch.arange(3), label_smoothing=0.1, dtype=torch.float64, impl=impl)
        for impl in ("padded", "reference")
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("why", ["no_grad", "inference_mode", "nothing requires it"])
def test_no_gradient_is_computed_that_nobody_asked_for(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    softmax_part = chunked._softmax_part

    def watched(h: Tensor, w: Tensor, dtype: torch.dtype, needs_grad: bool) -> object:
        asked.append(needs_grad)
        return softmax_part(h, w, dtype, needs_grad)

    monkeypatch.setattr(chunked, "_softmax_part", watched)
    mode = {"no_grad": torch.no_grad(), "inference_mode": torch.inference_mode()}.get(why, torch.enable_grad())
    weight = torch.randn(5, 4, requires_grad=why != "nothing requires it")
    with mode:
        loss, _ = linear_cross_entropy(torch.randn(3, 4), weight, torch.arange(3), label_smoothing=0.1)
    assert asked == [False]
    assert not loss.requires_grad


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"got states \[3, 4\], weight \[5, 6\], targets \[3\]"):
        linear_cross_entropy(torch.zeros(3, 4), torch.zeros(5, 6), torch.arange(3), label_smoothing=0.0)


def test_number_types_that_are_not_real_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected a floating-point type for dtype; got torch\.int32"):
        linear_cross_entropy(
            torch.zeros(3, 4), torch.zeros(5, 4), torch.arange(3), label_smoothing=0.0, dtype=torch.int32
        )


def test_tensors_on_several_devices_are_refused() -> None:
    with pytest.raises(ValueError, match="expected weight on cpu, where the states are; got it on meta"):
        linear_cross_entropy(torch.zeros(3, 4), torch.zeros(5, 4, device="meta"), torch.arange(3), label_smoothing=0.0)


@pytest.mark.parametrize("impl", ["padded", "reference"])
@pytest.mark.parametrize("wrong", [5, -100])
def test_a_target_outside_the_vocabulary_is_named(wrong: int, impl: str) -> None:
    targets = torch.tensor([0, 4, wrong])
    with pytest.raises(ValueError, match=rf"targets\[2\] = {wrong}; expected 0 to 4\."):
        linear_cross_entropy(torch.zeros(3, 4), torch.zeros(5, 4), targets, label_smoothing=0.0, impl=impl)


def test_the_kernels_are_not_replaced_when_they_cannot_run() -> None:
    with pytest.raises(UnavailableError, match="'triton'"):
        linear_cross_entropy(
            torch.zeros(3, 4),
            torch.zeros(5, 4),
            torch.arange(3),
            label_smoothing=0.0,
            dtype=torch.float64,
            impl="triton",
        )
