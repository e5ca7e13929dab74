"""The cross-entropy kernels against the definition: loss, and the gradient written over the logits."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from support.accuracy import assert_as_exact_as_eager
from support.slow import slow
from torch import Tensor

from mtcli_kernels.cross_entropy import cross_entropy, linear, linear_cross_entropy
from mtcli_kernels.dispatch import is_interpreting

DEVICE = torch.device("cpu" if is_interpreting() else "cuda")  # for hypothesis, which takes no fixtures of a test
IGNORED = -100


def problem(num_rows: int, vocabulary: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, targets of which every third is ignored from the second on, and a gradient that differs by row."""
    generator = torch.Generator().manual_seed(1000 * vocabulary + num_rows)
    logits = 3 * torch.randn(num_rows, vocabulary, generator=generator)
    targets = torch.randint(0, vocabulary, (num_rows,), generator=generator)
    targets[1::3] = IGNORED
    grad = torch.randn(num_rows, generator=generator)
    return logits.to(device, dtype), targets.to(device), grad.to(device)


def results(logits: Tensor, targets: Tensor, grad: Tensor, smoothing: float, impl: str) -> tuple[Tensor, ...]:
    """Loss, nll and the logits' gradient; the logits given stay as they are."""
    consumed = logits.detach().clone().requires_grad_()
    loss, nll = cross_entropy(consumed, targets, label_smoothing=smoothing, impl=impl)
    return loss.detach(), nll, *torch.autograd.grad(loss, consumed, grad.to(loss.dtype))


def check(logits: Tensor, targets: Tensor, grad: Tensor, smoothing: float) -> None:
    ours = results(logits, targets, grad, smoothing, "triton")
    eager = results(logits, targets, grad, smoothing, "reference")
    exact = results(logits.double(), targets, grad, smoothing, "reference")
    assert ours[0].dtype == ours[1].dtype == torch.float32
    compare(ours, eager, exact, targets)


def compare(ours: tuple[Tensor, ...], eager: tuple[Tensor, ...], exact: tuple[Tensor, ...], targets: Tensor) -> None:
    """All three as `results` gives them."""
    for name, *values in zip(("loss", "nll"), ours, eager, exact, strict=False):
        assert_as_exact_as_eager(*values, name=name)
    gradients = [found[2] for found in (ours, eager, exact)]
    if gradients[0].shape[1] == 1:  # the exact one is 0, which gives errors no scale
        assert (gradients[0].abs() <= 1e-6).all()
        return
    assert_as_exact_as_eager(*gradients, name="gradient")
    # A target's gradient is of size 1, beside which errors in those of the others would not show.
    others = [gradient.scatter(1, targets.clamp(min=0)[:, None], 0) for gradient in gradients]
    assert_as_exact_as_eager(*others, name="gradient of other logits than the target's")


@pytest.mark.parametrize("smoothing", [0.0, 0.1, *slow(0.9)])
@pytest.mark.parametrize("vocabulary", [1, 7, 4097, *slow(2, 1000, 4095, 4096, 32001)])
def test_loss_and_gradient_are_those_of_the_definition(
    vocabulary: int, smoothing: float, dtype: torch.dtype, device: torch.device
) -> None:
    check(*problem(5, vocabulary, dtype, device), smoothing)


def test_loss_and_gradient_are_those_of_torch(device: torch.device) -> None:
    logits, targets, grad = problem(7, 4500, torch.float32, device)
    loss, nll, gradient = results(logits, targets, grad, 0.1, "triton")
    wide = logits.double().requires_grad_()
    expected = F.cross_entropy(wide, targets, label_smoothing=0.1, reduction="none")
    plain = F.cross_entropy(wide, targets, reduction="none").detach()
    (expected_gradient,) = torch.autograd.grad(expected, wide, grad.double())
    torch.testing.assert_close(loss.double(), expected.detach(), rtol=2e-6, atol=2e-6)
    torch.testing.assert_close(nll.double(), plain, rtol=2e-6, atol=2e-6)
    torch.testing.assert_close(gradient.double(), expected_gradient, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("num_rows", [0, 1])
def test_no_row_and_one(num_rows: int, dtype: torch.dtype, device: torch.device) -> None:
    check(*problem(num_rows, 50, dtype, device), 0.1)


@settings(max_examples=15, deadline=None)
@given(
    num_rows=st.integers(0, 9),
    vocabulary=st.integers(1, 5000),
    smoothing=st.floats(0, 1, width=16),
    scale=st.sampled_from([0.0, 1.0, 30.0]),
    ignored=st.sampled_from([IGNORED, 0, -1]),
)
def test_any_size_smoothing_and_ignored_index(
    num_rows: int, vocabulary: int, smoothing: float, scale: float, ignored: int
) -> None:
    logits, targets, grad = problem(num_rows, vocabulary, torch.float32, DEVICE)
    targets[targets == IGNORED] = ignored
    logits = (logits * scale).requires_grad_()
    wide = logits.detach().double().requires_grad_()
    options = {"label_smoothing": smoothing, "ignore_index": ignored}
    ours, _ = cross_entropy(logits, targets, **options, impl="triton")  # type: ignore[arg-type]
    exact, _ = cross_entropy(wide, targets, **options, impl="reference")  # type: ignore[arg-type]
    torch.testing.assert_close(ours.double(), exact, rtol=1e-5, atol=1e-5)
    (gradient,), (expected,) = (
        torch.autograd.grad(loss, z, grad.to(loss.dtype)) for loss, z in ((ours, logits), (exact, wide))
    )
    torch.testing.assert_close(gradient.double(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layout", ["transposed", "every other row", "part of a row", "expanded"])
def test_any_strides(layout: str, device: torch.device) -> None:
    wide = problem(14, 14, torch.float32, device)[0]
    view = {
        "transposed": wide[:9, :6].t(),
        "every other row": wide[::2, :9][:6],
        "part of a row": wide[:6, 3:12],
        "expanded": wide[:1, :9].expand(6, 9),
    }[layout]
    shape = view.shape, view.stride(), view.storage_offset()
    _, targets, grad = problem(6, 9, torch.float32, device)
    grads = []
    for leaf, impl in ((wide.clone(), "triton"), (wide.double(), "reference")):
        leaf.requires_grad_()
        loss, _ = cross_entropy((leaf * 1).as_strided(*shape), targets, label_smoothing=0.1, impl=impl)
        grads.append(torch.autograd.grad(loss, leaf, grad.to(loss.dtype))[0])
    torch.testing.assert_close(grads[0].double(), grads[1], rtol=1e-5, atol=1e-6)


def test_strides_of_targets_and_gradient(device: torch.device) -> None:
    logits, targets, grad = problem(6, 9, torch.float32, device)
    spread = torch.stack((targets, targets), 1)[:, 0], torch.stack((grad, grad), 1)[:, 0]
    for ours, expected in zip(
        results(logits, *spread, 0.1, "triton"), results(logits, targets, grad, 0.1, "triton"), strict=True
    ):
        assert torch.equal(ours, expected)


def test_the_backward_operator_writes_to_transposed_logits(device: torch.device) -> None:
    from mtcli_kernels.cross_entropy.op import cross_entropy_backward_op, cross_entropy_op

    logits, targets, grad = problem(6, 9, torch.float32, device)
    expected = results(logits, targets, grad, 0.1, "triton")[2]
    transposed = logits.t().contiguous().t()
    _, _, lse = cross_entropy_op(transposed, targets, 0.1, IGNORED)
    cross_entropy_backward_op(transposed, targets, lse, grad, 0.1, IGNORED)
    assert torch.equal(transposed, expected)


def test_rows_more_than_2_31_numbers_apart() -> None:
    if not is_interpreting():
        pytest.skip("the GPU has a test of its own, which fills that memory")
    stride, shape = 2**30 + 16, (4, 7)
    memory = torch.from_numpy(np.empty(3 * stride + 16, dtype=np.float16))  # of which four pages are ever touched
    logits, (small, targets, grad) = memory.as_strided(shape, (stride, 1)), problem(*shape, torch.float16, DEVICE)
    logits.copy_(small)
    logits.requires_grad_()
    loss, _ = cross_entropy(logits, targets, label_smoothing=0.1, impl="triton")
    (gradient,) = torch.autograd.grad(loss, logits, grad)
    expected_loss, _, expected = results(small, targets, grad, 0.1, "triton")
    assert torch.equal(loss.detach(), expected_loss)
    assert torch.equal(gradient, expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_large_logits_stay_finite(smoothing: float, dtype: torch.dtype, device: torch.device) -> None:
    logits, targets, grad = problem(6, 5000, dtype, device)
    logits *= 1e4 / 12
    loss, nll, gradient = results(logits, targets, grad, smoothing, "triton")
    exact = results(logits.double(), targets, grad, smoothing, "reference")
    torch.testing.assert_close(loss.double(), exact[0], rtol=1e-6, atol=1e-3)
    torch.testing.assert_close(nll.double(), exact[1], rtol=1e-6, atol=1e-3)
    torch.testing.assert_close(gradient.double(), exact[2], rtol=1e-2, atol=2e-3)  # lse, in float32, is 1e-3 apart here


@pytest.mark.filterwarnings("ignore:(invalid value|divide by zero) encountered:RuntimeWarning")  # by the interpreter
def test_a_banned_token_is_no_obstacle_without_smoothing(dtype: torch.dtype, device: torch.device) -> None:
    logits, targets, grad = problem(6, 5000, dtype, device)
    logits[:, (targets + 1) % 5000] = float("-inf")
    logits[0, :4096] = float("-inf")  # a whole block
    logits[torch.arange(6, device=device), targets.clamp(min=0)] = 2.0
    check(logits, targets, grad, 0.0)


def test_a_banned_token_and_smoothing_give_an_infinite_loss_as_in_torch(device: torch.device) -> None:
    logits, targets, grad = torch.zeros(1, 4, device=device), torch.tensor([0], device=device), torch.ones(1).to(device)
    logits[0, 2] = float("-inf")
    loss, nll, gradient = results(logits, targets, grad, 0.1, "triton")
    expected = logits.clone().requires_grad_()
    theirs = F.cross_entropy(expected, targets, label_smoothing=0.1)
    assert loss.item() == theirs.item() == float("inf")
    assert nll.isfinite().all()
    torch.testing.assert_close(gradient, torch.autograd.grad(theirs, expected)[0])


@pytest.mark.filterwarnings("ignore:(invalid value|divide by zero) encountered:RuntimeWarning")  # by the interpreter
@pytest.mark.parametrize("row", ["all -inf", "NaN", "+inf"])
def test_a_row_without_a_distribution_gives_nan_as_in_torch(row: str, device: torch.device) -> None:
    logits, targets, grad = problem(3, 9, torch.float32, device)
    logits[0, slice(None) if row == "all -inf" else 4] = {"all -inf": -torch.inf, "NaN": torch.nan}.get(row, torch.inf)
    for part in results(logits, targets, grad, 0.1, "triton"):
        assert part[0].isnan().any()
        assert part[1:].isfinite().all()


def test_an_ignored_row_counts_for_nothing_whatever_it_holds(device: torch.device) -> None:
    logits, targets, grad = problem(3, 5000, torch.float32, device)
    logits[1], grad[1] = torch.nan, torch.nan
    for part in results(logits, targets, grad, 0.1, "triton"):
        assert (part[1] == 0).all()
        assert part.isfinite().all()


@pytest.mark.parametrize("wrong", [9, -1, 2**31, 2**40, -(2**40)])
def test_a_target_outside_the_vocabulary_makes_its_row_nan(wrong: int, device: torch.device) -> None:
    logits, targets, grad = problem(3, 9, torch.float32, device)
    expected = results(logits, targets, grad, 0.1, "triton")
    targets[0] = wrong
    for part, right in zip(results(logits, targets, grad, 0.1, "triton"), expected, strict=True):
        assert part[0].isnan().all()
        assert torch.equal(part[1:], right[1:])


def test_forward_leaves_the_logits_and_backward_writes_over_them(dtype: torch.dtype, device: torch.device) -> None:
    values, targets, grad = problem(5, 70, dtype, device)
    logits = values.clone().requires_grad_() * 1
    loss, nll = cross_entropy(logits, targets, impl="triton")
    assert torch.equal(logits, values)
    assert not nll.requires_grad
    (gradient,) = torch.autograd.grad(loss, logits, grad)
    assert gradient.data_ptr() == logits.data_ptr()
    assert not gradient.requires_grad


def test_a_second_backward_is_an_error(device: torch.device) -> None:
    logits, targets, _ = problem(5, 70, torch.float32, device)
    loss, _ = cross_entropy(logits.requires_grad_(), targets, impl="triton")
    loss.sum().backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.sum().backward()


def test_a_second_derivative_is_an_error(device: torch.device) -> None:
    logits, targets, _ = problem(5, 70, torch.float32, device)
    loss, _ = cross_entropy(logits.requires_grad_(), targets, impl="triton")
    with pytest.raises(RuntimeError, match="no second derivative"):
        torch.autograd.grad(loss.sum(), logits, create_graph=True)


def test_an_operation_that_needs_the_logits_afterwards_is_an_error(device: torch.device) -> None:
    leaf, targets, _ = problem(5, 70, torch.float32, device)
    loss, _ = cross_entropy(leaf.requires_grad_().exp(), targets, impl="triton")  # the gradient of exp is exp
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.sum().backward()


def test_operators_are_registered_as_torch_expects(device: torch.device) -> None:
    from mtcli_kernels.cross_entropy.op import cross_entropy_backward_op, cross_entropy_op

    logits, targets, grad = problem(5, 70, torch.float32, device)
    _, _, lse = cross_entropy_op(logits, targets, 0.1, IGNORED)
    torch.library.opcheck(cross_entropy_op, (logits.clone().requires_grad_(), targets, 0.1, IGNORED))
    torch.library.opcheck(cross_entropy_op, (logits[:0], targets[:0], 0.1, IGNORED))
    torch.library.opcheck(cross_entropy_backward_op, (logits, targets, lse, grad, 0.1, IGNORED))


def test_forward_and_backward_compile_as_one_graph(device: torch.device) -> None:
    _, targets, grad = problem(6, 50, torch.float32, device)
    states, weight = torch.randn(6, 8, device=device), torch.randn(50, 8, device=device)

    def loss_of(weight: Tensor) -> Tensor:
        return cross_entropy(states @ weight.t(), targets, label_smoothing=0.1, impl="triton")[0]

    grads = []
    for function in (loss_of, torch.compile(loss_of, fullgraph=True, backend="aot_eager")):
        leaf = weight.clone().requires_grad_()
        grads.append(torch.autograd.grad(function(leaf), leaf, grad)[0])
    torch.testing.assert_close(*grads)


@pytest.mark.parametrize("limit", [2**31, 4 * 50 * 4, 1])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_output_layer_at_once_and_in_parts(
    limit: int, smoothing: float, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "_MOST_LOGIT_BYTES", limit)  # all 9 rows; 4; one by one
    generator = torch.Generator().manual_seed(1)
    states, weight = (torch.randn(n, 16, generator=generator).to(device) for n in (9, 50))
    targets = torch.randint(0, 50, (9,), generator=generator).to(device)
    found = []
    for dtype, impl in ((torch.float32, "triton"), (torch.float64, "reference")):
        h, w = states.to(dtype).requires_grad_(), weight.to(dtype).requires_grad_()
        loss, nll = linear_cross_entropy(h, w, targets, label_smoothing=smoothing, dtype=dtype, impl=impl)
        found.append((loss.detach(), nll, *torch.autograd.grad(3 * loss, (h, w))))
        assert not nll.requires_grad
    for ours, expected in zip(*found, strict=True):
        torch.testing.assert_close(ours.double(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("limit", [2**31, 1])
def test_the_output_layer_without_rows_or_gradients(
    limit: int, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "_MOST_LOGIT_BYTES", limit)
    weight = torch.randn(50, 16, device=device, requires_grad=True)
    for num_rows in (0, 3):
        states, targets = torch.randn(num_rows, 16, device=device), torch.arange(num_rows, device=device)
        loss, _ = linear_cross_entropy(states, weight, targets, label_smoothing=0.1, impl="triton")
        (gradient,) = torch.autograd.grad(loss, weight)
        assert gradient.isfinite().all()
        with torch.inference_mode():
            alone, _ = linear_cross_entropy(states, weight, targets, label_smoothing=0.1, impl="triton")
        assert not alone.requires_grad
        assert torch.equal(alone, loss.detach())


def test_the_output_layer_ignores_no_target(device: torch.device) -> None:
    states, weight, targets = torch.randn(2, 4), torch.randn(5, 4), torch.tensor([1, -100])
    loss, _ = linear_cross_entropy(
        states.to(device), weight.to(device), targets.to(device), label_smoothing=0.1, impl="triton"
    )
    assert loss.isnan()


def check_in_parts(logits: Tensor, targets: Tensor, grad: Tensor, smoothing: float, rows: int = 2048) -> None:
    """`check` for logits of which no float64 copy fits: the kernels see all, the oracle `rows` at a time."""
    kept = logits.clone()
    logits.requires_grad_()
    loss, nll = cross_entropy(logits, targets, label_smoothing=smoothing, impl="triton")
    assert torch.equal(logits, kept)
    (gradient,) = torch.autograd.grad(loss, logits, grad)
    loss = loss.detach()
    for start in range(0, logits.shape[0], rows):
        part = slice(start, start + rows)
        inputs = targets[part], grad[part], smoothing, "reference"
        eager, exact = results(kept[part], *inputs), results(kept[part].double(), *inputs)
        compare((loss[part], nll[part], gradient[part]), eager, exact, targets[part])


@pytest.mark.gpu
@pytest.mark.parametrize("vocabulary", [32000, 31999])
@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_a_training_step_of_25000_tokens(kind: torch.dtype, vocabulary: int, device: torch.device) -> None:
    generator = torch.Generator(device).manual_seed(1)
    logits = torch.randn(25000, vocabulary, device=device, dtype=kind, generator=generator)
    targets = torch.randint(0, vocabulary, (25000,), device=device, generator=generator)
    targets[::7] = IGNORED
    check_in_parts(logits, targets, torch.rand(25000, device=device, generator=generator), 0.1)


@pytest.mark.gpu
def test_more_than_2_31_logits(device: torch.device) -> None:
    generator = torch.Generator(device).manual_seed(1)
    num_rows = 2**16 + 2048
    logits = torch.empty(num_rows, 2**15, device=device, dtype=torch.bfloat16).normal_(generator=generator)
    targets = torch.randint(0, 2**15, (num_rows,), device=device, generator=generator)
    check_in_parts(logits, targets, torch.rand(num_rows, device=device, generator=generator), 0.1, rows=4096)


@pytest.mark.gpu
@pytest.mark.parametrize("width", [512, 1024])
def test_the_output_layer_of_a_real_model(width: int, device: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator(device).manual_seed(1)
    states = torch.randn(8192, width, device=device, generator=generator)
    weight = torch.randn(32000, width, device=device, generator=generator) * width**-0.5
    targets = torch.randint(0, 32000, (8192,), device=device, generator=generator)
    found = {}
    for form, dtype, impl, limit in (
        ("ours", torch.bfloat16, "triton", 2**31),
        ("ours in parts", torch.bfloat16, "triton", 2**27),
        ("eager", torch.bfloat16, "reference", 0),
        ("exact", torch.float64, "reference", 0),
    ):
        monkeypatch.setattr(linear, "_MOST_LOGIT_BYTES", limit)
        h, w = (x.to(torch.float64 if form == "exact" else torch.float32).requires_grad_() for x in (states, weight))
        loss, _ = linear_cross_entropy(h, w, targets, label_smoothing=0.1, dtype=dtype, impl=impl)
        found[form] = torch.autograd.grad(loss, (h, w))
    for form in ("ours", "ours in parts"):
        for ours, eager, exact in zip(found[form], found["eager"], found["exact"], strict=True):
            assert_as_exact_as_eager(ours.bfloat16(), eager, exact, name=form)
