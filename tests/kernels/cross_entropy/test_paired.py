"""The loss of two readings, against PyTorch's own parts of it in float64."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mtcli_kernels.cross_entropy import linear_cross_entropy, paired, paired_linear_cross_entropy


def definition(states: Tensor, weight: Tensor, targets: Tensor, smoothing: float, consistency: float) -> Tensor:
    first, second = (states @ weight.t()).chunk(2)
    right = sum(F.cross_entropy(z, targets, label_smoothing=smoothing, reduction="sum") for z in (first, second))
    p, q = first.log_softmax(1), second.log_softmax(1)
    apart = F.kl_div(q, p, log_target=True, reduction="sum") + F.kl_div(p, q, log_target=True, reduction="sum")
    return right / 2 + consistency * apart / 4


@pytest.mark.parametrize("num_tokens", [0, 1, 3, 4, 5, 17])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("consistency", [0.0, 0.7, 5.0])
def test_loss_and_gradients_are_the_definition(
    num_tokens: int, smoothing: float, consistency: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(paired._CHUNK_ROWS, "cpu", 4)
    torch.manual_seed(num_tokens)
    states = torch.randn(2 * num_tokens, 16, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(50, 16, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(0, 50, (num_tokens,))
    ours, nll = paired_linear_cross_entropy(
        states, weight, targets, label_smoothing=smoothing, consistency=consistency, dtype=torch.float64
    )
    expected = definition(states, weight, targets, smoothing, consistency)
    torch.testing.assert_close(ours, expected)
    torch.testing.assert_close(nll, definition(states, weight, targets, 0.0, 0.0).detach())
    assert not nll.requires_grad
    grads = torch.autograd.grad(3 * ours, (states, weight))
    for grad, reference in zip(grads, torch.autograd.grad(3 * expected, (states, weight)), strict=True):
        torch.testing.assert_close(grad, reference)


def test_twice_the_same_reading_is_the_plain_loss() -> None:
    torch.manual_seed(1)
    states, weight, targets = torch.randn(9, 8), torch.randn(20, 8), torch.randint(0, 20, (9,))
    plain = linear_cross_entropy(states, weight, targets, label_smoothing=0.1)
    twice = paired_linear_cross_entropy(states.repeat(2, 1), weight, targets, label_smoothing=0.1, consistency=5.0)
    torch.testing.assert_close(twice, plain)


def test_bfloat16_is_close_to_float32() -> None:
    torch.manual_seed(1)
    states, weight, targets = torch.randn(60, 16), torch.randn(50, 16), torch.randint(0, 50, (30,))
    arguments = {"label_smoothing": 0.1, "consistency": 1.0}
    exact, _ = paired_linear_cross_entropy(states, weight, targets, **arguments)
    low, _ = paired_linear_cross_entropy(states, weight, targets, **arguments, dtype=torch.bfloat16)
    assert low.item() == pytest.approx(exact.item(), rel=0.01)
    assert low.dtype == torch.float32


def test_large_logits_stay_finite() -> None:
    states = torch.tensor([[100.0] * 4, [-100.0] * 4], requires_grad=True)
    weight = torch.tensor([[10.0] * 4, [-10.0] * 4])
    loss, _ = paired_linear_cross_entropy(states, weight, torch.tensor([0]), label_smoothing=0.0, consistency=1.0)
    loss.backward()
    assert loss.isfinite()
    assert states.grad is not None
    assert states.grad.isfinite().all()


@pytest.mark.parametrize(
    ("num_states", "targets", "consistency", "words"),
    [
        (5, [0, 1], 1.0, r"expected states \[2N, d\]"),
        (4, [0, 7], 1.0, r"targets\[1\] = 7; expected 0 to 6"),
        (4, [0, 1], -1.0, "consistency of at least 0"),
    ],
)
def test_what_does_not_fit_is_refused(num_states: int, targets: list[int], consistency: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        paired_linear_cross_entropy(
            torch.randn(num_states, 4),
            torch.randn(7, 4),
            torch.tensor(targets),
            label_smoothing=0.1,
            consistency=consistency,
        )
