"""Right and wrong results are told apart."""

import pytest
import torch

from mtcli.bench.kernels.accuracy import Judge

EXACT = torch.linspace(-4.0, 4.0, 1000)


def test_what_eager_computes_is_right() -> None:
    rounded = EXACT.bfloat16()
    verdict = Judge([EXACT], torch.bfloat16, [rounded]).judge([rounded])
    assert verdict.failure is None
    assert 0 < verdict.error < 1e-2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 5.0])
def test_one_wrong_number_is_found(value: float) -> None:
    ours = EXACT.clone()
    ours[7] = value
    assert Judge([EXACT], torch.float32, [EXACT]).judge([ours]).failure is not None


def test_a_small_error_everywhere_is_found() -> None:
    assert Judge([EXACT], torch.float32, [EXACT]).judge([EXACT * 1.0001]).failure is not None


def test_without_eager_the_slack_remains() -> None:
    judge = Judge([EXACT], torch.float16, None)
    assert judge.judge([EXACT.half()]).failure is None
    assert judge.judge([EXACT + 0.1]).failure is not None


def test_whole_numbers_are_met_exactly() -> None:
    ids = torch.arange(5)
    judge = Judge([ids], torch.float32, None)
    assert judge.judge([ids.clone()]).failure is None
    assert judge.judge([ids.flip(0)]).failure == "output 0: 4 of 5 numbers are wrong"


def test_another_shape_is_wrong() -> None:
    assert "shape" in str(Judge([EXACT], torch.float32, None).judge([EXACT[:10]]).failure)
