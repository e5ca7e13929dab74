"""How a total time is shared among the stages."""

import pytest

from benchmarks.gpu.stages import STAGES, Stage, budget

FIRST, SECOND = Stage("first", "one", weight=1.0, least=10.0), Stage("second", "two", weight=3.0, least=50.0)


def test_a_share_is_by_weight() -> None:
    assert budget(FIRST, [SECOND], 200.0, 1000.0) == 50.0
    assert budget(SECOND, [], 150.0, 1000.0) == 150.0


def test_no_more_than_a_stage_may_take() -> None:
    assert budget(SECOND, [], 500.0, 420.0) == 420.0


def test_a_small_share_is_filled_up_to_what_is_of_use() -> None:
    assert budget(FIRST, [SECOND], 20.0, 1000.0) == 10.0


def test_too_little_is_none() -> None:
    assert budget(SECOND, [], 49.0, 1000.0) is None


@pytest.mark.parametrize("total", [845.0, 1800.0])
def test_a_lent_machine_reaches_all_stages(total: float) -> None:
    """Each stage takes all that it gets."""
    left, got = total, {}
    for number, stage in enumerate(STAGES):
        got[stage.name] = budget(stage, STAGES[number + 1 :], left, 420.0)
        assert got[stage.name] is not None, got
        left -= got[stage.name] or 0.0
    assert left >= 0
