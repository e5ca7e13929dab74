"""An operation's contest adds its rows to the results file, and goes on behind what broke a process."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.bench_cases import BEST, case

from benchmarks.gpu import contest
from benchmarks.gpu.context import Context
from benchmarks.gpu.results import load, write
from mtcli.bench.measuring.contest import BrokenDeviceError, Case


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
