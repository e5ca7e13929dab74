"""A contest of made-up tools: what is recorded, and what a failure costs."""

import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.contest.processes import Command
from benchmarks.questions.training.contest import Contestant, Plan, measure
from benchmarks.questions.training.entries import BY_LENGTH, JOEYNMT, MTCLI, Entry
from benchmarks.questions.training.records import Trained
from benchmarks.questions.training.tasks import Corpus, Task, json_lines

OURS = Entry(contestant=MTCLI, dtype="float32", cores=1)
THEIRS = Entry(contestant=JOEYNMT, dtype="float32", cores=1, way=BY_LENGTH)
PLAN = Plan(rounds=2, seconds=30.0, seed=1, command="python -m training toy")


class Toy:
    """Trains as fast as it is told."""

    def __init__(self, rates: list[int], parameters: int = 7, script: str = "") -> None:
        self._rates, self._parameters, self._script = rates, parameters, script

    def versions(self) -> dict[str, str]:
        return {"toy": str(self._parameters)}

    def command(self, task: Task, entry: Entry, folder: Path) -> Command:
        script = self._script or "\n".join(f"print({rate})" for rate in self._rates)
        return Command(arguments=[sys.executable, "-c", script])

    def windows(self, folder: Path) -> list[float]:
        return [float(line) for line in (folder / "stdout").read_text().split()]

    def parameters(self, folder: Path) -> int:
        return self._parameters


def task(folder: Path) -> Task:
    corpus = Corpus(
        train=folder / "train",
        valid=folder / "valid",
        tokenizer=folder / "pieces",
        vocab_size=9,
        origin="toy",
        src=[[5, 2], [5, 6, 2]],
        tgt=[[7, 2], [2]],
    )
    return Task(preset="tiny", corpus=corpus, batch_tokens=8, warm_up=2, steps=4, window=2, seed=1)


def contest(folder: Path, theirs: Any, ours: Any = None) -> Trained:
    tools: dict[str, Contestant] = {MTCLI: ours or Toy([1, 300, 100]), JOEYNMT: theirs}
    return measure(PLAN, "Toy", task(folder), tools, [OURS, THEIRS], folder)


def test_the_warm_up_does_not_count_and_windows_are_joined_by_time(tmp_path: Path) -> None:
    result = contest(tmp_path, Toy([999, 50, 50]))
    ours, theirs = result.rows
    assert (ours.rounds, ours.median, ours.ratio, ours.parameters) == ([150.0, 150.0], 150.0, 1.0, 7)
    assert theirs.ratio == pytest.approx(1 / 3)
    assert theirs.why is None
    assert result.corpus.mean_src == 2.5
    assert (result.corpus.longest, result.model.d_model, result.model.parameters) == (3, 128, 7)
    assert result.versions == {"toy": "7"}
    assert not (tmp_path / "running").exists()


@pytest.mark.parametrize(
    ("theirs", "why"),
    [
        (Toy([], script="raise RuntimeError('out of luck')"), "RuntimeError: out of luck"),
        (Toy([1, 2]), "its log has 2 figures where 3 were expected"),
        (Toy([1, 2, 3], parameters=8), "it learns 8 numbers where mtcli learns 7: the models differ"),
    ],
)
def test_a_peer_that_fails_is_a_result_that_says_why(tmp_path: Path, theirs: Toy, why: str) -> None:
    ours, failed = contest(tmp_path, theirs).rows
    assert ours.rounds == [150.0, 150.0]
    assert (failed.rounds, failed.median, failed.ratio, failed.why) == ([None, None], None, None, why)


def test_without_mtcli_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mtcli failed, nothing was recorded: mtcli, float32, 1 core: it broke"):
        contest(tmp_path, Toy([1, 2, 3]), Toy([], script="import sys; sys.exit('it broke')"))


def test_a_line_that_is_not_whole_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    assert json_lines(path) == []
    path.write_text('{"a": 1}\n{"a":', encoding="utf-8")
    assert json_lines(path) == [{"a": 1}]
