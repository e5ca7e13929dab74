"""`mtcli translate` on a CPU, in a process where PyTorch cannot be imported, by an engine that needs none."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.patience import PATIENCE
from support.tiny import write_untrained

from mtcli_native import load

PROGRAM = """
import sys

BLOCKED = ("torch", "triton", "mtcli_kernels")


class Blockade:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ImportError(f"{name} was imported")
        return None


sys.meta_path.insert(0, Blockade())
import support.echo_engine

sys.modules["mtcli.decoding.engines.native"] = support.echo_engine
from mtcli.cli.main import main

main()
"""


def run(*arguments: str | Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": paths, "CUDA_VISIBLE_DEVICES": "", "MTCLI_ENGINE": "", **environment},
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_untrained(tmp_path_factory.mktemp("without") / "model")


def test_a_stream_is_translated(model: Path) -> None:
    finished = run("translate", "-m", model, "--device", "cpu", stdin="the dog\n\nthe cat\n")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == "the dog\n\nthe cat\n"


def test_files_are_translated_verified_and_counted_and_a_finished_job_is_known_again(
    model: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").write_text("the dog\nthe cat\n", encoding="utf-8")
    options = ("--device", "cpu", "--verify", "2", "--stats", tmp_path / "stats", "--n-best", "2", "--format", "jsonl")
    command = ("translate", "-m", model, "-i", tmp_path / "in", "-o", tmp_path / "out", *options)
    first, second = run(*command), run(*command)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "came out the same to the bit" in first.stderr
    assert "out is up to date" in second.stderr
    lines = [json.loads(line) for line in (tmp_path / "out").read_text(encoding="utf-8").splitlines()]
    assert [line["translation"] for line in lines] == ["the dog", "the cat"]
    counts = json.loads((tmp_path / "stats").read_text(encoding="utf-8"))
    assert (counts["engine"], counts["device"], counts["dtype"]) == ("native", "cpu", "float32")


def test_another_engine_makes_another_job(model: Path, tmp_path: Path) -> None:
    (tmp_path / "in").write_text("the dog\n", encoding="utf-8")
    command = ("translate", "-m", model, "-i", tmp_path / "in", "-o", tmp_path / "out", "--device", "cpu")
    assert run(*command).returncode == 0
    other = run(*command, "--dtype", "int8")
    assert other.returncode == 1
    assert "exists" in other.stderr


def test_info_says_what_decodes(model: Path) -> None:
    finished = run("info", model, "--device", "cpu", "--json")
    assert finished.returncode == 0, finished.stderr
    facts = json.loads(finished.stdout)
    assert facts["engine"] == "native (the device is a CPU)"
    assert facts["native kernels"] == load.describe()
    assert facts["runs here on"].endswith("threads), float32")


def test_what_is_blocked_would_be_seen(model: Path) -> None:
    finished = run("translate", "-m", model, "--device", "cpu", stdin="the dog\n", MTCLI_ENGINE="torch")
    assert finished.returncode == 1
    assert "torch was imported" in finished.stderr
