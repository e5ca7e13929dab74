"""Right and wrong results are told apart."""

import pytest
import torch

from mtcli.bench.kernels.accuracy import Judge

EXACT = torch.linspace(-4.0, 4.0, 1000)


def test_what_plain_pytorch_computes_is_right() -> None:
    rounded = EXACT.bfloat16()
    assert Judge([EXACT], torch.bfloat16, [rounded]).failure([rounded]) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 5.0])
def test_one_wrong_number_is_found(value: float) -> None:
    ours = EXACT.clone()
    ours[7] = value
    assert Judge([EXACT], torch.float32, [EXACT]).failure([ours]) is not None


def test_a_small_error_everywhere_is_found() -> None:
    assert "largest error" in str(Judge([EXACT], torch.float32, [EXACT]).failure([EXACT * 1.0001]))


def test_without_the_plain_form_the_slack_remains() -> None:
    judge = Judge([EXACT], torch.float16, None)
    assert judge.failure([EXACT.half()]) is None
    assert judge.failure([EXACT + 0.1]) is not None


def test_whole_numbers_are_met_exactly_and_shapes_too() -> None:
    ids = torch.arange(5)
    judge = Judge([ids], torch.float32, None)
    assert judge.failure([ids.clone()]) is None
    assert judge.failure([ids.flip(0)]) == "output 0: 4 of 5 numbers are wrong"
    assert "shape" in str(judge.failure([ids[:4]]))
