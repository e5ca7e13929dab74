"""One training at a time in a directory."""

import subprocess
import sys
from pathlib import Path

import pytest

from mtcli.errors import CheckpointError, DataError
from mtcli.training.directory import run_directory


def test_a_second_training_is_refused_while_the_first_is_there(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with run_directory(run, is_writer=True):
        with pytest.raises(CheckpointError, match="Another training is at work"), run_directory(run, is_writer=True):
            pass
        with run_directory(run, is_writer=False):
            pass
    with run_directory(run, is_writer=True):
        pass
    assert sorted(path.name for path in run.iterdir()) == ["cache", "checkpoints"]


def test_a_training_that_was_killed_is_in_nobodys_way(tmp_path: Path) -> None:
    run = tmp_path / "run"
    program = (
        "import os, pathlib, signal, sys\n"
        "from mtcli.training.directory import run_directory\n"
        "with run_directory(pathlib.Path(sys.argv[1]), is_writer=True):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(run)], check=False).returncode == -9
    (run / ".model.safetensors.17.partial").write_bytes(b"half")
    (run / "checkpoints" / ".best.safetensors.17.partial").write_bytes(b"half")
    (run / "checkpoints" / "step-00000010.partial").mkdir()
    (run / "checkpoints" / "step-00000010.partial" / "model.safetensors").write_bytes(b"half")
    (run / "checkpoints" / "step-00000005").mkdir()
    (run / "cache" / "0123.partial").mkdir()
    (run / "cache" / "4567").mkdir()
    with run_directory(run, is_writer=True):
        pass
    assert [path.name for path in (run / "checkpoints").iterdir()] == ["step-00000005"]
    assert [path.name for path in (run / "cache").iterdir()] == ["4567"]
    assert sorted(path.name for path in run.iterdir()) == ["cache", "checkpoints"]


def test_what_is_no_run_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(CheckpointError, match="not a training run"), run_directory(tmp_path, is_writer=True):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(CheckpointError, match="is a file"), run_directory(tmp_path / "thesis.txt", is_writer=True):
        pass


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="run"), run_directory(tmp_path / "file" / "run", is_writer=True):
        pass
