"""The chunked output loss against torch's own cross-entropy in float64."""

import pytest
import torch
import torch.nn.functional as F

from mtcli.training import loss as loss_module
from mtcli.training.loss import output_loss


@pytest.mark.parametrize("num_rows", [1, 7, 8, 9, 40])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_and_gradients_agree_with_cross_entropy(
    num_rows: int, smoothing: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(loss_module._CHUNK_ROWS, "cpu", 8)
    torch.manual_seed(num_rows)
    states = torch.randn(num_rows, 16, requires_grad=True)
    weight = torch.randn(50, 16, requires_grad=True)
    targets = torch.randint(0, 50, (num_rows,))
    ours, nll = output_loss(states, weight, targets, label_smoothing=smoothing)
    grads = torch.autograd.grad(3 * ours, (states, weight))
    wide_states, wide_weight = (x.detach().double().requires_grad_() for x in (states, weight))
    logits = wide_states @ wide_weight.t()
    expected = F.cross_entropy(logits, targets, label_smoothing=smoothing, reduction="sum")
    expected_grads = torch.autograd.grad(3 * expected, (wide_states, wide_weight))
    assert ours.item() == pytest.approx(expected.item(), rel=1e-5)
    assert nll.item() == pytest.approx(F.cross_entropy(logits, targets, reduction="sum").item(), rel=1e-5)
    for grad, reference in zip(grads, expected_grads, strict=True):
        torch.testing.assert_close(grad.double(), reference, rtol=1e-4, atol=1e-5)


def test_large_logits_stay_finite() -> None:
    states = torch.full((2, 4), 100.0, requires_grad=True)
    weight = torch.tensor([[100.0] * 4, [-100.0] * 4], requires_grad=True)
    loss, nll = output_loss(states, weight, torch.tensor([0, 1]), label_smoothing=0.0)
    loss.backward()
    assert nll.item() == pytest.approx(80_000.0)
    assert states.grad is not None
    assert states.grad.isfinite().all()


def test_bfloat16_is_close_to_float32() -> None:
    torch.manual_seed(1)
    states, weight = torch.randn(30, 16), torch.randn(50, 16)
    targets = torch.randint(0, 50, (30,))
    exact, _ = output_loss(states, weight, targets, label_smoothing=0.1)
    low, _ = output_loss(states, weight, targets, label_smoothing=0.1, dtype=torch.bfloat16)
    assert low.item() == pytest.approx(exact.item(), rel=0.01)
