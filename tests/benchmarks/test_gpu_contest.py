"""What is timed, what is not, and what the rows say, on made-up operations."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from gpu import contest
from gpu.contest import EAGER, BrokenDeviceError, Case, Contestant, best_of_torch, measure
from gpu.context import Context
from gpu.formulas import Cost
from gpu.results import load, write
from gpu.tables import OURS
from gpu.timing import Stopwatch

BEST = {"bytes_per_second": 1e9, "flops_per_second": {"float32": 1e9}}


def context(tmp_path: Path, **changes: Any) -> Context:
    fields: dict[str, Any] = {
        "root": tmp_path,
        "results": tmp_path,
        "work": tmp_path,
        "data": None,
        "budget": 100.0,
        "ends_at": 4e9,
        "rehearsal": True,
        "toy": True,
        "seed": 1,
        "ops": ("made_up",),
    }
    return Context(**fields | changes)


def double(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return (2 * x,)


def fail(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    raise RuntimeError("it needs\nanother GPU")


def case(name: str = "doubling", **changes: Any) -> Case:
    fields: dict[str, Any] = {
        "name": name,
        "direction": "forward",
        "shape": {"numbers": 8},
        "dtype": torch.float32,
        "cost": Cost(bytes=64, flops=8),
        "make": lambda seed: torch.randn(8, generator=torch.Generator().manual_seed(seed)),
        "exact": double,
        "contestants": (
            Contestant(name=OURS, run=double),
            Contestant(name=EAGER, run=lambda x: (x + x,)),
            Contestant(name="wrong", run=lambda x: (3 * x,)),
            Contestant(name="failing", run=fail),
        ),
    }
    return Case(**fields | changes)


def test_only_right_contestants_are_timed(tmp_path: Path) -> None:
    row = measure(case(in_graph=True), context(tmp_path), Stopwatch("cpu", rehearsal=True), BEST)
    found = {one["name"]: one for one in row["contestants"]}
    assert [one["status"] for one in found.values()] == ["right", "right", "wrong", "cannot run"]
    assert [name for name, one in found.items() if "eager" in one and "graph" in one] == [OURS, EAGER]
    assert found["failing"]["why"] == "RuntimeError: it needs another GPU"
    assert row["floor_us"] == pytest.approx(0.064)
    assert found[OURS]["fraction"] == pytest.approx(row["floor_us"] / found[OURS]["graph"]["median"])
    assert {way: best["name"] for way, best in row["torch_best"].items()} == {"eager": EAGER, "graph": EAGER}


def test_what_a_call_destroys_is_put_back(tmp_path: Path) -> None:
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
    row = measure(destroying, context(tmp_path), Stopwatch("cpu", rehearsal=True), BEST)
    assert [one["status"] for one in row["contestants"]] == ["right", "right"]


def test_the_best_is_the_fastest_right_one_of_the_others() -> None:
    def one(name: str, median: float, status: str = "right") -> dict[str, Any]:
        return {"name": name, "status": status, "eager": {"median": median}}

    rows = [one(OURS, 10.0), one("slow", 40.0), one("fast", 25.0), one("wrong", 1.0, "wrong")]
    assert best_of_torch(rows, "eager") == {"name": "fast", "speedup": 2.5}
    assert best_of_torch(rows[:1], "eager") is None
    assert best_of_torch(rows[1:], "eager") is None
    assert best_of_torch(rows, "graph") is None


class MadeUp:
    """An operation whose second case breaks the process."""

    def cases(self, context: Context) -> Iterator[Case]:
        yield from (case(name) for name in ("first", "second", "third"))


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(contest, "operation", lambda name: MadeUp())
    monkeypatch.setattr(contest, "ceilings_of", lambda *_: (BEST, "made up"))
    write(tmp_path / "kernels.json", {"ops": {}})
    return tmp_path


def entry(folder: Path) -> dict[str, Any]:
    record = load(folder / "kernels.json")
    assert record is not None
    found: dict[str, Any] = record["ops"]["made_up"]
    return found


def test_an_operation_writes_its_rows(made_up: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contest.run(context(made_up))
    found = entry(made_up)
    assert [row["case"] for row in found["rows"]] == ["first", "second", "third"]
    assert found["finished"]
    assert found["error"] is None
    assert "made_up: first, forward: triton" in capsys.readouterr().out


def test_the_next_process_goes_on_behind_what_broke_the_first(made_up: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = contest.measure

    def breaking(one: Case, *arguments: Any) -> dict[str, Any]:
        if one.name == "second":
            raise BrokenDeviceError("triton broke the CUDA context (an illegal memory access).")
        return real(one, *arguments)

    monkeypatch.setattr(contest, "measure", breaking)
    with pytest.raises(SystemExit, match="second, forward: triton broke"):
        contest.run(context(made_up))
    assert not entry(made_up)["finished"]
    contest.run(context(made_up))
    found = entry(made_up)
    assert [row["case"] for row in found["rows"]] == ["first", "third"]
    assert found["finished"]
    assert found["lost"] == ["second, forward: triton broke the CUDA context (an illegal memory access)."]


def test_what_there_is_no_time_for_is_said(made_up: Path) -> None:
    contest.run(context(made_up, ends_at=0.0))
    assert entry(made_up)["left_out"] == ["first, forward", "second, forward", "third, forward"]
