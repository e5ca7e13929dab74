"""The stage `train`: what is trained, what is checked, and what rows say."""

from typing import Any

import pytest

from benchmarks.gpu.train import wrongs
from benchmarks.gpu.training.checks import compared, unanswered
from benchmarks.gpu.training.entries import FULL, MODULES, TOY, Entry, entries
from benchmarks.gpu.training.figures import Figures, row

OURS, THEIRS = Entry(contestant="mtcli"), Entry(contestant="PyTorch")
ANSWER: dict[str, Any] = {"seconds": [2.0], "num_tokens": [1000], "peak_bytes": 3 * 2**30}


def test_everything_is_measured_once_and_mtcli_first() -> None:
    found = entries(FULL)
    assert found[0].is_reference
    assert len({one.name for one in found}) == len(found)
    assert {one.contestant for one in found} == set(MODULES)
    compiled = {one.contestant: one.with_dtype("bfloat16") for one in found}["PyTorch, compiled"]
    assert compiled == {"dtype": "bfloat16", "compiled": "inductor"}
    assert sum(one.is_reference for one in entries(TOY)) == 1


@pytest.mark.parametrize(
    ("found", "passed"),
    [
        ({"loss": 4.0, "norm": 2.0}, True),
        ({"loss": 4.01, "norm": 2.05}, True),
        ({"loss": 4.1, "norm": 2.0}, False),
        ({"loss": 4.0, "norm": 2.2}, False),
        ({"loss": float("nan"), "norm": 2.0}, False),
    ],
)
def test_a_loss_or_a_gradient_that_differs_is_wrong(found: dict[str, float], passed: bool) -> None:
    check = compared(found, {"loss": 4.0, "norm": 2.0}, "bfloat16")
    assert check["passed"] is passed
    assert "the loss" in check["detail"] and "the norm" in check["detail"]


def test_float32_must_be_closer() -> None:
    found = {"loss": 4.01, "norm": 2.0}
    assert compared(found, {"loss": 4.0, "norm": 2.0}, "bfloat16")["passed"] is True
    assert compared(found, {"loss": 4.0, "norm": 2.0}, "float32")["passed"] is False


def test_rows_hold_the_arithmetic_against_the_ceiling() -> None:
    figures = Figures(parameters=5)
    figures.add(0, ANSWER, steps=4)
    figures.add(1, ANSWER | {"seconds": [1.0]}, steps=4)
    found = row(OURS, figures, figures, flops=1e9, ceiling=1e10)
    assert (found["status"], found["rounds"], found["median"], found["ratio"]) == ("right", 2, 750.0, 1.0)
    assert found["step_ms"] == pytest.approx(375.0)
    assert found["peak_gib"] == 3.0
    assert found["fraction"] == pytest.approx(1e9 / 0.375 / 1e10)


def test_ratios_are_taken_within_rounds() -> None:
    ours, theirs = Figures(), Figures()
    for number, seconds in enumerate((1.0, 2.0)):
        ours.add(number, ANSWER | {"seconds": [seconds]}, steps=1)
    theirs.add(1, ANSWER | {"seconds": [4.0]}, steps=1)
    assert row(THEIRS, theirs, ours, flops=1.0, ceiling=1.0)["ratio"] == 0.5


def test_what_is_wrong_keeps_its_figures_and_is_compared_with_nothing() -> None:
    wrong, right = Figures(why="the loss differs", wrong=True), Figures()
    for figures in (wrong, right):
        figures.add(0, ANSWER, steps=1)
    found = row(THEIRS, wrong, right, flops=1.0, ceiling=1.0)
    assert (found["status"], found["median"], found["ratio"], found["fraction"]) == ("wrong", 500.0, None, None)
    assert row(OURS, right, wrong, flops=1.0, ceiling=1.0)["ratio"] is None
    assert row(OURS, Figures(why="it broke"), right, flops=1.0, ceiling=1.0)["status"] == "cannot run"
    assert row(OURS, Figures(), right, flops=1.0, ceiling=1.0)["status"] == "left out"


def test_mtcli_must_be_right_and_peers_may_be_missing() -> None:
    head = {"way": "", "dtype": "bfloat16"}
    model = {
        "model": {"name": "base"},
        "checks": [
            {"contestant": "Toy"} | head | unanswered("no module 'toy'"),
            {"contestant": "mtcli", "passed": False, "detail": "the loss differs"} | head,
        ],
        "rows": [
            {"contestant": "Toy", "way": "", "status": "cannot run", "why": "no module 'toy'"},
            {"contestant": "mtcli", "way": "attention sdpa", "status": "cannot run", "why": "it broke"},
        ],
    }
    assert wrongs({"models": [model]}) == [
        "base, mtcli, bfloat16: WRONG: the loss differs",
        "base, mtcli, attention sdpa: it broke",
    ]
