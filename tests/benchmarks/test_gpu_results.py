"""Results files are whole at any moment, and valid JSON whatever was measured."""

import json
from pathlib import Path

from benchmarks.gpu.context import Context
from benchmarks.gpu.results import ResultsFile, load, write


def context(folder: Path) -> Context:
    return Context(
        root=folder,
        results=folder / "results",
        work=folder,
        data=None,
        budget=10.0,
        ends_at=0.0,
        rehearsal=True,
        toy=True,
        seed=7,
        ops=("beam_step",),
        command="make gpu",
        device={"gpu": "NVIDIA Toy"},
    )


def test_a_file_is_written_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = ResultsFile(context(tmp_path), "ceilings", "Ceilings")
    file.save(copy=[{"rate": 123456.789}])
    file.leave_out("matmul")
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["ceilings.json"]
    found = load(tmp_path / "results" / "ceilings.json")
    assert found is not None
    assert (found["seed"], found["left_out"], found["copy"]) == (7, ["matmul"], [{"rate": 123460.0}])


def test_numbers_that_json_lacks_become_null(tmp_path: Path) -> None:
    write(tmp_path / "file.json", {"error": float("nan"), "list": (1, float("inf"), True)})
    assert json.loads((tmp_path / "file.json").read_text()) == {"error": None, "list": [1, None, True]}


def test_a_file_that_is_missing_or_broken_is_none(tmp_path: Path) -> None:
    assert load(tmp_path / "none.json") is None
    (tmp_path / "half.json").write_text('{"a": ')
    assert load(tmp_path / "half.json") is None


def test_a_context_survives_the_way_to_another_process(tmp_path: Path) -> None:
    before = context(tmp_path)
    assert Context.from_json(before.to_json()) == before
