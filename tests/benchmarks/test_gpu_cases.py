"""What is measured on a GPU, looked at without one: the plan at full size, and small cases of it in plain PyTorch."""

from pathlib import Path

import pytest
from gpu.contest import EAGER, _check_all, operation
from gpu.context import Context
from gpu.kernels import SHARES
from gpu.tables import OURS


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(
        root=tmp_path,
        results=tmp_path,
        work=tmp_path,
        data=None,
        budget=1000.0,
        ends_at=4e9,
        rehearsal=True,
        toy=False,
        seed=3,
    )


@pytest.mark.parametrize("name", SHARES)
def test_the_plan(name: str, context: Context) -> None:
    cases = list(operation(name).cases(context))
    titles = [(case.title, case.dtype) for case in cases]
    assert len(set(titles)) == len(titles)
    for case in cases:
        names = [one.name for one in case.contestants]
        assert names[:2] == [OURS, EAGER]
        assert len(set(names)) == len(names) > 2
        assert case.cost.bytes > 0
        assert case.direction in ("forward", "forward and backward")


@pytest.mark.parametrize("name", ["beam_step", "cross_attention_decode", "self_attention_decode"])
def test_one_slot_of_the_plan_is_computed_right(name: str, context: Context) -> None:
    cases = [case for case in operation(name).cases(context) if case.shape["slots"] == 1]
    for case in cases[:2]:
        found = _check_all(case, case.make(context.seed))
        assert found[EAGER]["status"] == "right"
        assert "wrong" not in [one["status"] for one in found.values()]
