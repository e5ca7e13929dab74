"""The end of a training: int8 is checked once, on the validation set, and the run tells of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.letters import letter_pairs, write_sides

from mtcli.config import load_config
from mtcli.decoding.int8_check import Int8Comparison
from mtcli.errors import BackendUnavailableError
from mtcli.model_directory.card import PROVENANCE
from mtcli.model_directory.int8_mark import INT8_MARK, load_int8_mark
from mtcli.training import int8 as int8_at_the_end
from mtcli.training.run import train

pytestmark = pytest.mark.usefixtures("one_thread")
SIZES = {"encoder_layers": 1, "decoder_layers": 1, "d_model": 16, "ffn_dim": 16, "heads": 2, "dropout": 0.0}


class Run:
    """A run of a few steps with 120 validation pairs."""

    def __init__(self, directory: Path) -> None:
        self.model = directory / "run"
        src, tgt = write_sides(letter_pairs("copy", 200, seed=1), directory / "train")
        valid_src, valid_tgt = write_sides(letter_pairs("copy", 120, seed=2), directory / "valid")
        self._data = {
            "src": [str(src)],
            "tgt": [str(tgt)],
            "valid_src": [str(valid_src)],
            "valid_tgt": [str(valid_tgt)],
        }

    def train(self, steps: int = 2, **training: object) -> None:
        settings = {"max_steps": steps, "batch_tokens": 400, "device": "cpu", "dtype": "float32", **training}
        data = {**self._data, "vocab_size": 290}
        train(load_config(options={"model": SIZES, "data": data, "training": settings}), self.model)

    @property
    def told(self) -> Any:
        return json.loads((self.model / PROVENANCE).read_text()).get("int8")

    @property
    def logged(self) -> list[Any]:
        records = [json.loads(line) for line in (self.model / "log.jsonl").read_text().splitlines()]
        return [record for record in records if record["kind"] == "int8"]

    def files(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.model.rglob("*") if path.is_file()}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def losing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Int8Comparison, "losses", {"BLEU": 0.4, "chrF": 0.0})


def test_a_model_that_loses_nothing_is_marked(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.train(int8_lines=110)
    mark = load_int8_mark(run.model)
    assert mark is not None
    assert (mark.lines, mark.text) == (110, "its validation set")
    assert run.logged == [{"kind": "int8", **run.told}]
    assert (run.told["step"], run.told["lines"], run.told["passed"]) == (2, 110, True)
    assert run.told["bleu"]["int8"] == round(mark.bleu.int8, 2)
    assert "int8 compared with float32 on 110 validation lines: BLEU" in capsys.readouterr().err


def test_one_that_loses_is_not(run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    losing(monkeypatch)
    run.train()
    assert not (run.model / INT8_MARK).exists()
    assert run.told["passed"] is False
    assert "float32 stays the default. int8 loses 0.40 BLEU on 120 lines" in capsys.readouterr().err


@pytest.mark.parametrize("fails", [False, True])
def test_a_finished_run_does_not_check_again(fails: bool, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    if fails:
        losing(monkeypatch)
    run.train()
    before = run.files()
    run.train()
    assert run.files() == before


def test_a_run_that_was_killed_before_the_check_makes_up_for_it(run: Run) -> None:
    run.train()
    whole = run.files()
    (run.model / INT8_MARK).unlink()
    told = json.loads((run.model / PROVENANCE).read_text())
    del told["int8"]
    (run.model / PROVENANCE).write_text(json.dumps(told))
    log = run.model / "log.jsonl"
    log.write_text("".join(line + "\n" for line in log.read_text().splitlines() if '"int8"' not in line))
    run.train()
    assert run.files() == whole


def test_a_run_that_goes_on_is_checked_anew(run: Run) -> None:
    run.train()
    first = load_int8_mark(run.model)
    run.train(steps=4)
    second = load_int8_mark(run.model)
    assert first is not None
    assert second is not None
    assert first.weights != second.weights
    assert run.told["step"] == 4


def test_the_weights_are_those_of_a_run_without_the_check(run: Run, tmp_path: Path) -> None:
    run.train()
    (tmp_path / "other").mkdir()
    other = Run(tmp_path / "other")
    other.train(int8_lines=0)
    weights = [(one.model / "model.safetensors").read_bytes() for one in (run, other)]
    assert weights[0] == weights[1]
    assert not (other.model / INT8_MARK).exists()
    assert other.told is None


@pytest.mark.parametrize("num_lines", [0, 99])
def test_too_few_lines_check_nothing(num_lines: int, run: Run) -> None:
    run.train(int8_lines=num_lines)
    assert (run.told, run.logged, (run.model / INT8_MARK).exists()) == (None, [], False)


def test_where_int8_cannot_be_had_nothing_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise BackendUnavailableError("No.")

    monkeypatch.setattr(int8_at_the_end, "compare_int8", refuse)
    run.train()
    assert (run.told, run.logged) == (None, [])
