"""What is measured on a GPU, looked at without one: the plan at full size, and small cases of it in plain PyTorch."""

from dataclasses import dataclass

import pytest

from mtcli.bench.contest import _check_all, operation
from mtcli.bench.rows import EAGER, OURS

OPERATIONS = ("beam_step", "cross_attention_decode", "cross_entropy", "masked_attention", "self_attention_decode")


@dataclass(frozen=True)
class Full:
    """All cases, as on a GPU, but on the CPU."""

    torch_device: str = "cpu"
    toy: bool = False
    seed: int = 3

    def left(self) -> float:
        return 1000.0


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_plan(name: str) -> None:
    cases = list(operation(name).cases(Full()))
    titles = [(case.title, case.dtype) for case in cases]
    assert len(set(titles)) == len(titles)
    for case in cases:
        names = [one.name for one in case.contestants]
        assert names[:2] == [OURS, EAGER]
        assert len(set(names)) == len(names) > 2
        assert case.cost.bytes > 0
        assert case.direction in ("forward", "forward and backward")


@pytest.mark.parametrize("name", ["beam_step", "cross_attention_decode", "self_attention_decode"])
def test_one_slot_of_the_plan_is_computed_right(name: str) -> None:
    cases = [case for case in operation(name).cases(Full()) if case.shape["slots"] == 1]
    for case in cases[:2]:
        found = _check_all(case, case.make(Full.seed))
        assert found[EAGER]["status"] == "right"
        assert "wrong" not in [one["status"] for one in found.values()]
