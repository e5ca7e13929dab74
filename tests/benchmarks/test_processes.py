"""Programs that are measured: cores, memory, limits, how they fail; and contestants that answer."""

import sys
from pathlib import Path

import pytest
from support.patience import wait_until

from benchmarks.contest.machine import joined_versions, versions_on
from benchmarks.contest.processes import Team, last_words, peak_mib, run, tree, why_ended
from mtcli.bench.contest import ContestantError

linux = pytest.mark.skipif(sys.platform != "linux", reason="memory and cores are looked up in /proc")
ANSWERING = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if asked.get("fail"):
        raise ValueError("I was told to")
    if asked["command"] == "sleep":
        import time
        time.sleep(60)
    print(json.dumps({"asked": asked, "loaded": globals().get("loaded")}), flush=True)
    if asked["command"] == "load":
        loaded = asked["model"]
"""


def go(script: str, folder: Path, *, seconds: float = 60, **more: object) -> int | None:
    return run([sys.executable, "-c", script], folder / "log", seconds=seconds, cwd=folder, **more)  # type: ignore[arg-type]


@linux
def test_a_program_gets_its_cores_and_variables(tmp_path: Path) -> None:
    script = "import os; print(len(os.sched_getaffinity(0)), os.environ['OMP_NUM_THREADS'], os.environ['EXTRA'])"
    assert go(script, tmp_path, cores=1, environment={"EXTRA": "more"}) == 0
    assert (tmp_path / "log").read_text() == "1 1 more\n"


@linux
def test_memory_is_that_of_the_largest_it_started(tmp_path: Path) -> None:
    child = "import os, time; kept = bytearray(150 << 20)\nwhile not os.path.exists('seen'): time.sleep(0.05)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    seen: list[float] = []

    def watch(pid: int) -> None:
        seen.append(max((memory for memory in map(peak_mib, tree(pid)) if memory is not None), default=0.0))
        if seen[-1] > 150:
            (tmp_path / "seen").touch()

    assert go(parent, tmp_path, glance=watch) == 0
    assert 150 < max(seen) < 250


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("raise ValueError('no\\ngood')", "ValueError: no good"),
        ("import sys; sys.exit('mtcli says so.')", "mtcli says so."),
        ("import os; os._exit(3)", "it ended with exit code 3"),
        ("import os; os.kill(os.getpid(), 9)", "it ended with signal 9"),
    ],
)
def test_a_failure_says_why(tmp_path: Path, script: str, why: str) -> None:
    assert why_ended(go(script, tmp_path), tmp_path / "log", 60) == why


def test_what_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    child = "open('child', 'w').close(); import time; time.sleep(60)"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    pids: set[int] = set()
    assert go(script, tmp_path, seconds=3, glance=lambda pid: pids.update(tree(pid))) is None
    assert why_ended(None, tmp_path / "log", 3) == "it took longer than 3 seconds"
    if sys.platform == "linux":
        assert len(pids) == 2
        wait_until(lambda: not any(_runs(pid) for pid in pids))  # one that was killed takes a moment to go


def _runs(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_last_words_are_the_error(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("some\nTraceback (most recent call last):\n  File x\nOSError: gone\nfor good\n")
    assert last_words(tmp_path / "log") == "OSError: gone for good"
    assert last_words(tmp_path / "none") == ""


@pytest.fixture
def team(tmp_path: Path) -> Team:
    commands = {
        "one": [sys.executable, "-c", ANSWERING],
        "gone": [sys.executable, "-c", "raise SystemExit('Not here.')"],
    }
    return Team(commands, tmp_path, {}, lambda: 60.0)


def test_contestants_load_before_they_answer(team: Team) -> None:
    assert team.ask("one", "facts")["loaded"] is None
    team.load(model="m")
    answer = team.ask("one", "decode", beam=4)
    assert answer == {"asked": {"command": "decode", "beam": 4}, "loaded": "m"}
    team.close()


def test_one_that_breaks_down_is_started_again(team: Team) -> None:
    team.load(model="m")
    with pytest.raises(ContestantError, match=r"^ValueError: I was told to$"):
        team.ask("one", "decode", fail=True)
    assert team.ask("one", "decode")["loaded"] == "m"
    with pytest.raises(ContestantError, match=r"^Not here\.$"):
        team.ask("gone", "facts")
    team.close()


def test_an_answer_may_not_take_longer_than_there_is(tmp_path: Path) -> None:
    team = Team({"one": [sys.executable, "-c", ANSWERING]}, tmp_path, {}, lambda: 0.0)
    with pytest.raises(ContestantError, match="sleep took longer than 1 seconds"):
        team.ask("one", "sleep")
    team.close()


def test_versions_of_peers_are_named_after_them() -> None:
    assert joined_versions({"mtcli": {"torch": "2"}, "peer": {"torch": "1", "own": "3"}}) == {
        "torch": "2",
        "torch (peer)": "1",
        "own": "3",
    }
    assert set(versions_on(sys.executable, ["pytest"])) == {"python", "pytest"}
    with pytest.raises(ValueError, match="lacks one of no-such-package"):
        versions_on(sys.executable, ["no-such-package"])
    with pytest.raises(ValueError, match="cannot be run"):
        versions_on("/no/such/python", ["pytest"])
