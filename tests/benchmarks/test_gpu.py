"""`make gpu` where there is none: how it refuses, and a rehearsal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.contest.machine import ROOT
from benchmarks.contest.records import Decoding, Training


def run(**variables: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHON": sys.executable, "CUDA_VISIBLE_DEVICES": "", **variables}
    command = ["bash", str(ROOT / "benchmarks" / "gpu" / "run.sh")]
    return subprocess.run(command, capture_output=True, text=True, env=env)


def test_without_a_gpu_it_ends_with_a_sentence() -> None:
    finished = run()
    assert finished.returncode == 1
    assert "No GPU: PyTorch finds no CUDA device." in finished.stderr and "make gpu REHEARSE=1" in finished.stderr


def test_an_unknown_stage_is_refused() -> None:
    finished = run(STAGE="correct,fast")
    assert finished.returncode == 2
    assert "There is no stage fast; there are correct bench translate" in finished.stderr


def test_packages_that_are_missing_are_named(tmp_path: Path) -> None:
    bare = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    finished = run(PYTHON=str(bare / "bin" / "python"), PYTHONPATH="")
    assert finished.returncode == 1
    assert "lacks torch" in finished.stderr and "WHEELS=DIR" in finished.stderr


@pytest.mark.slow
def test_a_rehearsal_runs_the_contests_as_on_a_gpu(tmp_path: Path) -> None:
    finished = run(REHEARSE="1", STAGE="correct,translate,train", RESULTS=str(tmp_path), TOTAL="1200")
    assert finished.returncode == 0, finished.stdout[-3000:] + finished.stderr
    assert "tests collected" in (tmp_path / "test_beam_step_kernel-not-gpu.log").read_text(encoding="utf-8")
    decoding = Decoding.model_validate_json((tmp_path / "decoding-base.json").read_text(encoding="utf-8"))
    assert decoding.rehearsal
    rows = decoding.parts[0].rows
    assert {row.status for row in rows} <= {"right", "left out"}
    assert rows[0].way == "slots 1024" and rows[0].status == "right"
    training = Training.model_validate_json((tmp_path / "training-base.json").read_text(encoding="utf-8"))
    assert [row.status for row in training.rows if row.contestant == "mtcli"] == ["right"]
    assert json.loads((tmp_path / "training-base.json").read_text(encoding="utf-8"))["rehearsal"] is True
