"""Processes end at their limit, with their children."""

import sys
import time
from pathlib import Path

import pytest

from benchmarks.gpu.processes import Job, run_job, run_jobs


def python(code: str, seconds: float, folder: Path) -> Job:
    return Job(command=[sys.executable, "-c", code], seconds=seconds, cwd=folder)


def test_output_and_code(tmp_path: Path) -> None:
    ended = run_job(python("import sys; print('out'); sys.exit('err')", 30, tmp_path))
    assert ended.code == 1
    assert ended.output.split() == ["out", "err"]
    assert ended.failure == "It ended with exit code 1."
    assert run_job(python("pass", 30, tmp_path)).failure is None


def test_a_signal_is_named(tmp_path: Path) -> None:
    assert run_job(python("import os; os.kill(os.getpid(), 9)", 30, tmp_path)).failure == "It ended with signal 9."


def test_the_limit_ends_children_too(tmp_path: Path) -> None:
    child = "import time; time.sleep(1.5); open('late', 'w')"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    started = time.time()
    ended = run_job(python(parent, 0.7, tmp_path))
    assert ended.failure == "It was stopped at its time limit."
    assert time.time() - started < 5
    time.sleep(1.5)
    assert not (tmp_path / "late").exists()


def test_jobs_run_side_by_side(tmp_path: Path) -> None:
    wait = "import time; time.sleep(1)"
    started = time.time()
    codes = [ended.code for _, ended in run_jobs([python(wait, 30, tmp_path)] * 4, at_once=4)]
    assert codes == [0] * 4
    assert time.time() - started < 3.5


def test_the_last_moment_counts_for_those_that_waited(tmp_path: Path) -> None:
    job = Job(
        command=[sys.executable, "-c", "import time; time.sleep(9)"], seconds=60, cwd=tmp_path, until=time.time() + 1
    )
    started = time.time()
    assert [ended.code for _, ended in run_jobs([job, job])] == [None, None]
    assert time.time() - started < 5


def test_who_stops_looking_ends_what_runs(tmp_path: Path) -> None:
    late = "import time; time.sleep(2); open('late', 'w')"
    with pytest.raises(KeyboardInterrupt):
        for _ in run_jobs([python("pass", 30, tmp_path), python(late, 30, tmp_path)], at_once=2):
            raise KeyboardInterrupt
    time.sleep(2.5)
    assert not (tmp_path / "late").exists()
