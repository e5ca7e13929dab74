"""What the public function refuses, and which form it chooses."""

import subprocess
import sys

import pytest
import torch

from mtcli_kernels.cross_entropy import choice, cross_entropy
from mtcli_kernels.dispatch import UnavailableError

CPU = torch.device("cpu")


def test_logits_that_are_no_matrix_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected logits \[N, V\].*got logits \[2, 3, 4\], targets \[2\]"):
        cross_entropy(torch.zeros(2, 3, 4), torch.zeros(2, dtype=torch.int64))


def test_an_empty_vocabulary_is_refused() -> None:
    with pytest.raises(ValueError, match=r"V at least 1.*got logits \[2, 0\]"):
        cross_entropy(torch.zeros(2, 0), torch.zeros(2, dtype=torch.int64))


def test_another_number_of_targets_is_refused() -> None:
    with pytest.raises(ValueError, match=r"got logits \[2, 4\], targets \[3\]"):
        cross_entropy(torch.zeros(2, 4), torch.zeros(3, dtype=torch.int64))


def test_integer_logits_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected logits of a floating-point type; got torch\.int64"):
        cross_entropy(torch.zeros(2, 4, dtype=torch.int64), torch.zeros(2, dtype=torch.int64))


def test_targets_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected int64 targets; got torch\.int32"):
        cross_entropy(torch.zeros(2, 4), torch.zeros(2, dtype=torch.int32))


def test_targets_on_another_device_are_refused() -> None:
    with pytest.raises(ValueError, match="expected targets on cpu, where the logits are; got them on meta"):
        cross_entropy(torch.zeros(2, 4), torch.zeros(2, dtype=torch.int64, device="meta"))


@pytest.mark.parametrize("smoothing", [-0.1, 1.5, float("nan")])
def test_a_label_smoothing_that_is_no_share_is_refused(smoothing: float) -> None:
    with pytest.raises(ValueError, match="expected label_smoothing between 0 and 1; got"):
        cross_entropy(torch.zeros(2, 4), torch.zeros(2, dtype=torch.int64), label_smoothing=smoothing)


@pytest.mark.parametrize("impl", ["padded", "reference"])
@pytest.mark.parametrize("wrong", [-1, 4, 2**40])
def test_a_target_outside_the_vocabulary_is_named(wrong: int, impl: str) -> None:
    with pytest.raises(ValueError, match=rf"targets\[1\] = {wrong}; expected 0 to 3, or -100"):
        cross_entropy(torch.zeros(3, 4), torch.tensor([-100, wrong, 2]), impl=impl)


def test_an_ignored_index_may_be_a_piece_of_the_vocabulary() -> None:
    logits = torch.randn(2, 4)
    for impl in ("padded", "reference"):
        loss, nll = cross_entropy(logits, torch.tensor([0, 2]), ignore_index=0, impl=impl)
        assert loss[0] == nll[0] == 0
        assert loss[1] == nll[1] > 0


def test_auto_is_padded_on_a_cpu() -> None:
    assert choice("auto", CPU, torch.float32).impl == "padded"


def test_forms_are_named_when_an_unknown_one_is_asked_for() -> None:
    with pytest.raises(ValueError, match="'sdpa' is not one of cross_entropy's: auto, triton, padded, reference"):
        choice("sdpa", CPU, torch.float32)


def test_the_kernels_are_not_replaced_when_they_cannot_run() -> None:
    logits, targets = torch.zeros(2, 4, dtype=torch.float64), torch.zeros(2, dtype=torch.int64)
    with pytest.raises(UnavailableError, match="cannot run as 'triton': the kernels compute float16"):
        cross_entropy(logits, targets, impl="triton")


def test_nll_is_not_differentiable() -> None:
    logits = torch.randn(2, 4, requires_grad=True)
    for impl in ("padded", "reference"):
        loss, nll = cross_entropy(logits, torch.tensor([0, 2]), impl=impl)
        assert loss.requires_grad
        assert not nll.requires_grad


def test_the_plain_forms_work_where_triton_does_not_exist() -> None:
    program = (
        "import sys; sys.modules['triton'] = None\n"
        "import torch; from mtcli_kernels.cross_entropy import cross_entropy\n"
        "print(cross_entropy(torch.zeros(1, 2), torch.tensor([0]))[0].item())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(0.6931, abs=1e-4)


@pytest.mark.parametrize("impl", ["auto", "padded", "reference"])
def test_forward_and_backward_compile_as_one_graph(impl: str) -> None:
    torch.manual_seed(1)
    states, weight, targets = torch.randn(3, 4), torch.randn(7, 4), torch.tensor([0, -100, 6])

    def loss_of(weight: torch.Tensor) -> torch.Tensor:
        return cross_entropy(states @ weight.t(), targets, label_smoothing=0.1, impl=impl)[0].sum()

    grads = []
    for function in (loss_of, torch.compile(loss_of, fullgraph=True, backend="aot_eager")):
        leaf = weight.clone().requires_grad_()
        grads.append(torch.autograd.grad(function(leaf), leaf)[0])
    torch.testing.assert_close(*grads)
