"""`python -m decoding` as a user calls it, with mtcli alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.decoding import shown_command
from benchmarks.questions.decoding.records import BaseResult
from benchmarks.report.decoding import base_block

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "benchmarks"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "decoding", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environment)


def test_what_is_shown_names_no_place_of_this_machine() -> None:
    words = ["trained", "--model=/models/en-de", "--src", "/data/test.en", "--ref", "/data/test.de", "--rounds", "3"]
    hidden = ["--peers", "/opt/python", "--out=/results/x.json", "--data", "/data"]
    assert shown_command([*words, *hidden]) == (
        "python -m decoding trained --model en-de --src test.en --ref test.de --rounds 3 --data DATA"
    )


def test_base_with_mtcli_alone(tmp_path: Path) -> None:
    out = tmp_path / "results" / "base.json"
    small = ["--preset", "tiny", "--vocab-size", "100", "--limit", "3", "--rounds", "2", "--beam", "2", "--cores", "1"]
    finished = run("base", "--contestants", "mtcli", *small, "--isa", "avx2", "--out", out)
    assert finished.returncode == 0, finished.stderr
    result = BaseResult.model_validate_json(out.read_text(encoding="utf-8"))
    assert result.target_tokens == 3 * 27
    assert result.device.cores == 1
    assert result.environment["ATEN_CPU_CAPABILITY"] == "avx2"
    plain = [row for row in result.rows if row.dtype == "float32"]
    assert [(row.search, row.way) for row in plain] == [
        ("beam 2", ""),
        ("beam 2", "not independent"),
        ("greedy", ""),
        ("greedy", "not independent"),
    ]
    assert all(len(row.rounds) == 2 and row.min > 0 for row in plain)
    assert plain[0].ratio == plain[2].ratio == 1.0
    assert str(tmp_path) not in json.dumps(result.command)
    assert "| mtcli | float32 | beam 2 |" in base_block(out.read_text(encoding="utf-8"))


def test_peers_that_are_not_there_are_an_error_before_anything_runs(tmp_path: Path) -> None:
    finished = run("base", "--peers", tmp_path / "python")
    assert finished.returncode == 2
    assert "make peers" in finished.stderr


def test_the_python_that_lacks_is_named(tmp_path: Path) -> None:
    finished = run("base", "--peers", sys.executable, "--joeynmt", tmp_path / "python")
    assert finished.returncode == 2
    assert f"{tmp_path / 'python'}, the Python of JoeyNMT, does not exist: run `make peers`" in finished.stderr
    assert finished.stderr.endswith("--contestants mtcli,ct2,hf,torch,torch-compiled\n")


def test_plain_pytorch_needs_no_other_python(tmp_path: Path) -> None:
    out = tmp_path / "base.json"
    small = ["--preset", "tiny", "--vocab-size", "100", "--limit", "3", "--rounds", "1", "--beam", "2", "--cores", "1"]
    finished = run("base", "--contestants", "mtcli,torch", "--peers", tmp_path, *small, "--out", out)
    assert finished.returncode == 0, finished.stderr
    result = BaseResult.model_validate_json(out.read_text(encoding="utf-8"))
    assert [(one.contestant, one.same_greedy) for one in result.agreement] == [("PyTorch", 3)]
    assert {(row.dtype, row.search) for row in result.rows if row.contestant == "PyTorch"} == {
        (dtype, search) for dtype in ("float32", "bfloat16") for search in ("beam 2", "greedy")
    }


def test_ratios_need_mtcli(tmp_path: Path) -> None:
    finished = run("base", "--contestants", "ct2", "--peers", sys.executable)
    assert finished.returncode == 2
    assert "mtcli" in finished.stderr
