"""`python -m training` as a user calls it, with what mtcli's own Python has."""

import json
import lzma
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.questions.training.entries import STOCK
from benchmarks.questions.training.records import ProfileResult, Trained
from benchmarks.report.training import trained_block
from benchmarks.training import shown_command

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "benchmarks"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "training", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environment)


def test_what_is_shown_names_no_place_of_this_machine() -> None:
    words = ["tiny", "--data=/data", "--rounds", "3", "--cores", "1,2"]
    hidden = ["--peers", "/opt/python", "--out=/results/x.json"]
    assert shown_command([*words, *hidden]) == "python -m training tiny --data DATA --rounds 3 --cores 1,2"


def test_base_without_packages_that_mtcli_lacks(tmp_path: Path) -> None:
    out = tmp_path / "results" / "base.json"
    small = ["--preset", "tiny", "--vocab-size", "100", "--batch-tokens", "100", "--warm-up", "1", "--steps", "2"]
    finished = run("base", "--contestants", "mtcli,torch", *small, "--rounds", "1", "--cores", "1", "--out", out)
    assert finished.returncode == 0, finished.stderr
    result = Trained.model_validate_json(out.read_text(encoding="utf-8"))
    first, second = result.rows[0], next(row for row in result.rows if row.contestant == STOCK)
    assert (first.contestant, first.dtype, first.cores, first.ratio) == ("mtcli", "float32", 1, 1.0)
    assert first.median is not None and first.median > 0
    assert second.median is not None and second.median > 0
    assert first.parameters == second.parameters == result.model.parameters
    assert sys.platform != "linux" or (first.peak_mib or 0) > 50
    assert str(tmp_path) not in json.dumps(result.command)
    block = trained_block(out.read_text(encoding="utf-8"))
    assert "| mtcli | float32 | 1 |" in block
    assert "| PyTorch | float32 | 1 |" in block


@pytest.fixture
def multi30k(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "multi30k"
    folder.mkdir(parents=True)
    for language, word in (("en", "sentence"), ("de", "Satz")):
        for name, count in (("train", 240), ("val", 8)):
            text = "".join(f"A {word} like {chr(97 + n % 26)}{n * 7919 % 997} and {n}.\n" for n in range(count))
            (folder / f"{name}.{language}.xz").write_bytes(lzma.compress(text.encode()))
    return folder.parent


def test_tiny_with_mtcli_alone(multi30k: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny.json"
    small = ["--batch-tokens", "100", "--warm-up", "10", "--steps", "10", "--rounds", "1", "--cores", "1"]
    finished = run("tiny", "--contestants", "mtcli", "--data", multi30k, *small, "--out", out)
    assert finished.returncode == 0, finished.stderr
    result = Trained.model_validate_json(out.read_text(encoding="utf-8"))
    assert (result.corpus.pairs, result.corpus.origin) == (240, "Multi30k, en to de")
    assert 0 < result.model.vocabulary <= 8000
    assert result.rows[0].median is not None


def test_profile(tmp_path: Path) -> None:
    out = tmp_path / "profile.json"
    finished = run("profile", "--batch-tokens", "60", "--warm-up", "1", "--steps", "1", "--out", out)
    assert finished.returncode == 0, finished.stderr
    (part,) = ProfileResult.model_validate_json(out.read_text(encoding="utf-8")).parts
    assert part.model.name == "base"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["base", "--peers", "nowhere/python"], "leave Hugging Face Marian out: --contestants mtcli,torch,torch-co"),
        (["tiny", "--peers", "nowhere/python"], "make peers-training"),
        (["tiny", "--contestants", "mtcli"], "--data DIR"),
        (["tiny", "--contestants", "mtcli", "--data", "x", "--steps", "15"], "windows of 10 updates"),
        (["base", "--contestants", "hf"], "expected mtcli among them"),
        (["base", "--contestants", "mtcli,joeynmt"], "expected some of mtcli, torch, torch-compiled, hf; got joey"),
        (["base", "--contestants", "mtcli", "--cores", "1000"], "this process may use"),
    ],
)
def test_wrong_options_are_refused_before_anything_runs(arguments: list[str], message: str) -> None:
    finished = run(*arguments)
    assert finished.returncode == 2
    assert message in finished.stderr


def test_a_folder_without_multi30k_is_a_sentence(tmp_path: Path) -> None:
    finished = run("tiny", "--contestants", "mtcli", "--data", tmp_path, "--cores", "1")
    assert finished.returncode == 1
    assert "train.en.xz" in finished.stderr
    assert "Traceback" not in finished.stderr
