"""`mtcli score`: what its rows hold of any pair."""

import json
import subprocess
import sys
from math import isnan
from pathlib import Path

import pytest
from support.tiny import write_untrained
from typer.testing import CliRunner

from mtcli.cli.main import app

SOURCES = ("the dog", "", "the dog", "the cat. the dog. " * 30)
TARGETS = ("a dog", "a dog", "", "a cat. a dog. " * 30)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_untrained(tmp_path_factory.mktemp("model"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def score(
    model: Path, *arguments: str, src: str = "\n".join(SOURCES), tgt: str = "\n".join(TARGETS)
) -> tuple[str, str]:
    """Standard output and error of scoring two texts."""
    Path("src").write_bytes(src.encode())
    Path("tgt").write_bytes(tgt.encode())
    result = CliRunner().invoke(app, ["score", "-m", str(model), "--src", "src", "--tgt", "tgt", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def test_an_empty_source_says_so_in_its_row(model: Path) -> None:
    text, said = score(model)
    assert [isnan(float(row)) for row in text.splitlines()] == [False, True, False, False]
    assert said == "Warning: line 2 has an empty source, and so no score.\n"
    rows = [line.split("\t") for line in score(model, "--format", "tsv")[0].splitlines()]
    assert rows[1] == ["nan", "nan", "0", "0"]
    records = [json.loads(line) for line in score(model, "--format", "jsonl")[0].splitlines()]
    assert records[1] == {"id": 1, "score": None, "log_prob": None, "num_tokens": 0, "parts": 0}
    for row, record in zip(rows, records, strict=True):
        if record["parts"]:
            numbers = [f"{record['score']:.6f}", f"{record['log_prob']:.6f}"]
            assert row == [*numbers, str(record["num_tokens"]), str(record["parts"])]


def test_several_empty_sources_are_counted(model: Path) -> None:
    said = score(model, src="\n \nthe dog\n\u200b\n", tgt="a\n" * 4)[1]
    assert said == "Warning: 3 lines have an empty source, the first is line 1, and so no score.\n"


def test_an_empty_target_is_no_better_than_its_end_token(model: Path) -> None:
    records = [json.loads(line) for line in score(model, "--format", "jsonl")[0].splitlines()]
    assert records[2]["num_tokens"] == records[2]["parts"] == 1
    assert records[2]["score"] == records[2]["log_prob"] < -0.1


def test_a_long_pair_is_scored_in_parts_and_stops_no_other(model: Path) -> None:
    records = [json.loads(line) for line in score(model, "--format", "jsonl")[0].splitlines()]
    assert len(records) == 4
    assert records[3]["parts"] == 60
    kept = json.loads(score(model, "--format", "jsonl", "--sentences", "keep", src="the cat. the dog.", tgt="a. b.")[0])
    assert kept["parts"] == 1


def test_what_only_ends_or_marks_lines_changes_nothing(model: Path) -> None:
    plain = score(model, src="the dog\nthe cat\n", tgt="a dog\na cat\n")
    assert score(model, src="\ufeffthe dog\r\nthe cat", tgt="\ufeffa dog\r\na cat\r\n") == plain


def test_scoring_on_a_cpu_loads_no_pytorch(model: Path) -> None:
    score(model)  # writes the two sides
    arguments = ["score", "-m", str(model), "--src", "src", "--tgt", "tgt", "--engine", "native", "--device", "cpu"]
    program = f"import sys; from mtcli.cli import main; main.app({arguments}, standalone_mode=False); "
    program += "sys.exit('torch' in sys.modules)"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert len(finished.stdout.splitlines()) == len(SOURCES)
