"""What is timed, what is not, and what the rows say, on made-up operations."""

from typing import Any

import pytest
import torch
from support.bench_cases import BEST, case

from mtcli.bench.contest.timing import Stopwatch
from mtcli.bench.measuring.contest import Contestant, measure
from mtcli.bench.records.rows import EAGER, OURS, best_of_others


def test_only_right_contestants_are_timed() -> None:
    row = measure(case(in_graph=True), 1, Stopwatch("cpu", rehearsal=True), BEST)
    found = {one["name"]: one for one in row["contestants"]}
    assert [one["status"] for one in found.values()] == ["right", "right", "wrong", "cannot run"]
    assert [name for name, one in found.items() if "eager" in one and "graph" in one] == [OURS, EAGER]
    assert found["failing"]["why"] == "RuntimeError: it needs another GPU"
    assert row["floor_us"] == pytest.approx(0.064)
    assert found[OURS]["fraction"] == pytest.approx(row["floor_us"] / found[OURS]["graph"]["median"])
    assert {way: best["name"] for way, best in row["torch_best"].items()} == {"eager": EAGER, "graph": EAGER}


def test_what_a_call_destroys_is_put_back() -> None:
    class Inputs:
        def __init__(self) -> None:
            self.x, self.kept = torch.ones(4), torch.ones(4)

    def destroy(inputs: Inputs) -> tuple[torch.Tensor, ...]:
        return (inputs.x.mul_(2),)

    destroying = case(
        make=lambda seed: Inputs(),
        exact=lambda inputs: (2 * inputs.kept,),
        contestants=(Contestant(name=OURS, run=destroy), Contestant(name=EAGER, run=destroy)),
        before=lambda inputs: inputs.x.copy_(inputs.kept),
        in_graph=True,
    )
    row = measure(destroying, 1, Stopwatch("cpu", rehearsal=True), BEST)
    assert [one["status"] for one in row["contestants"]] == ["right", "right"]


def test_the_best_is_the_fastest_right_one_of_the_others() -> None:
    def one(name: str, median: float, status: str = "right") -> dict[str, Any]:
        return {"name": name, "status": status, "eager": {"median": median}}

    rows = [one(OURS, 10.0), one("slow", 40.0), one("fast", 25.0), one("wrong", 1.0, "wrong")]
    assert best_of_others(rows, "eager") == {"name": "fast", "speedup": 2.5}
    assert best_of_others(rows[:1], "eager") is None
    assert best_of_others(rows[1:], "eager") is None
    assert best_of_others(rows, "graph") is None
