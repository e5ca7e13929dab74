"""The definition of cross-entropy against torch's own, in float64, and against numbers worked out by hand."""

import math

import pytest
import torch
import torch.nn.functional as F

from mtcli_kernels.cross_entropy import cross_entropy


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9, 1.0])
@pytest.mark.parametrize("vocabulary", [1, 2, 7, 1000])
def test_loss_and_gradient_are_those_of_torch(vocabulary: int, smoothing: float) -> None:
    torch.manual_seed(vocabulary)
    logits = torch.randn(5, vocabulary, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(0, vocabulary, (5,))
    targets[3] = -100
    grad = torch.randn(5, dtype=torch.float64)
    loss, nll = cross_entropy(logits, targets, label_smoothing=smoothing, impl="reference")
    expected = F.cross_entropy(logits, targets, label_smoothing=smoothing, reduction="none")
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(nll, F.cross_entropy(logits, targets, reduction="none"))
    ours, theirs = (torch.autograd.grad(x, logits, grad)[0] for x in (loss, expected))
    torch.testing.assert_close(ours, theirs)


def test_a_case_by_hand() -> None:
    logits = torch.tensor([[0.0, math.log(3.0)]])  # probabilities 1/4, 3/4
    loss, nll = cross_entropy(logits, torch.tensor([1]), label_smoothing=0.5, impl="reference")
    likely, unlikely = -math.log(3 / 4), -math.log(1 / 4)
    assert nll.item() == pytest.approx(likely)
    assert loss.item() == pytest.approx(0.5 * likely + 0.5 * (likely + unlikely) / 2)


def test_results_of_16_bit_logits_are_float32() -> None:
    logits, targets = torch.randn(3, 9, dtype=torch.bfloat16), torch.tensor([0, 8, 4])
    loss, nll = cross_entropy(logits, targets, impl="reference")
    assert loss.dtype == nll.dtype == torch.float32


def test_backward_leaves_the_logits() -> None:
    logits = torch.randn(3, 9, requires_grad=True)
    before = logits.detach().clone()
    loss, _ = cross_entropy(logits, torch.tensor([0, 8, 4]), impl="reference")
    for _ in range(2):
        loss.sum().backward(retain_graph=True)
    assert torch.equal(logits, before)
