"""Commands that are measured: cores, memory, and how they fail."""

import sys
import time
from pathlib import Path

import pytest

from benchmarks.contest.answering import ContestantError
from benchmarks.contest.processes import Command, run_to_its_end

linux = pytest.mark.skipif(sys.platform != "linux", reason="memory and cores are looked up in /proc")
ALLOCATE = "import sys, time; kept = bytearray(int(sys.argv[1]) << 20); time.sleep(float(sys.argv[2]))"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ALLOCATE!r}, '150', '0.6'], check=True)"


def python(script: str, *arguments: str, **more: object) -> Command:
    return Command(arguments=[sys.executable, "-c", script, *arguments], **more)  # type: ignore[arg-type]


@linux
@pytest.mark.parametrize("script", [ALLOCATE, PARENT])
def test_the_largest_process_counts(tmp_path: Path, script: str) -> None:
    peak = run_to_its_end(python(script, "150", "0.6"), tmp_path, cores=1, seconds=30)
    assert peak is not None
    assert 150 < peak < 250


@linux
def test_what_comes_after_training_does_not_count(tmp_path: Path) -> None:
    script = f"import time, pathlib; time.sleep(0.5); pathlib.Path('trained').touch(); time.sleep(0.5)\n{ALLOCATE}"
    command = python(script, "150", "0.6")
    trained = tmp_path / "trained"
    peak = run_to_its_end(command, tmp_path, cores=1, seconds=30, is_trained=trained.exists)
    assert peak is not None
    assert peak < 100


@linux
def test_a_command_gets_its_cores_its_variables_and_its_input(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("words")
    script = (
        "import os; print(len(os.sched_getaffinity(0)), os.environ['OMP_NUM_THREADS'], os.environ['EXTRA'], input())"
    )
    command = python(script, environment={"EXTRA": "more"}, stdin=tmp_path / "in")
    run_to_its_end(command, tmp_path, cores=1, seconds=30)
    assert (tmp_path / "stdout").read_text() == "1 1 more words\n"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("raise ValueError('no\\ngood')", r"^ValueError: no good$"),
        ("import sys; sys.exit('mtcli says so.')", r"^mtcli says so\.$"),
        ("import os; os._exit(3)", r"^it ended with exit code 3$"),
    ],
)
def test_a_failure_says_why(tmp_path: Path, script: str, why: str) -> None:
    with pytest.raises(ContestantError, match=why):
        run_to_its_end(python(script), tmp_path, cores=1, seconds=30)


def test_what_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    child = "import time, pathlib; time.sleep(2); pathlib.Path('survived').touch()"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with pytest.raises(ContestantError, match="took longer than 1 seconds"):
        run_to_its_end(python(script), tmp_path, cores=1, seconds=1)
    time.sleep(2)
    assert not (tmp_path / "survived").exists()
