"""The stage `correct`: what the recorder and compute-sanitizer say is read right, also of processes that break down."""

import sys
from pathlib import Path

import pytest

from benchmarks.gpu import correct, sanitizer
from benchmarks.gpu.context import Context
from benchmarks.gpu.processes import Ended, run_job
from benchmarks.gpu.results import ResultsFile

ROOT = Path(__file__).resolve().parents[2]

TESTS = {
    "test_mixed.py": """
import pytest
def test_good(): pass
def test_bad(): assert 1 == 2, "one is not two"
def test_skipped(): pytest.skip("needs a GPU")
@pytest.fixture
def broken(): raise RuntimeError("no fixture")
def test_error(broken): pass
""",
    "test_crash.py": """
import os
def test_good(): pass
def test_crash(): os._exit(66)
def test_never(): pass
""",
    "test_syntax.py": "def test_good(: pass",
    "test_seeded.py": """
import os, torch
def test_seed():
    assert torch.initial_seed() == int(os.environ["MTCLI_TEST_SEED"]) == 7
""",
}


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "benchmarks"))
    for name, text in TESTS.items():
        (tmp_path / name).write_text(text)
    return Context(
        root=tmp_path,
        results=tmp_path,
        work=tmp_path,
        data=None,
        budget=100.0,
        ends_at=4e9,
        rehearsal=False,
        toy=True,
        seed=7,
    )


def outcome(context: Context, name: str) -> dict[str, object]:
    path = context.root / name
    ended = run_job(correct._job(path, context, 60.0))
    return {"file": name} | correct.summarise(correct._record(path, context), ended)


def test_outcomes_are_counted_and_failures_kept(context: Context) -> None:
    found = outcome(context, "test_mixed.py")
    assert [found[key] for key in ("passed", "failed", "skipped", "errors")] == [1, 1, 1, 1]
    assert found["ended"] is None
    failures = {str(one["test"]).rpartition("::")[2]: one["message"] for one in found["failures"]}  # type: ignore[attr-defined]
    assert failures["test_bad"].startswith("AssertionError: one is not two")
    assert failures["test_error"] == "RuntimeError: no fixture"


def test_a_process_that_breaks_down_has_said_what_it_did(context: Context) -> None:
    found = outcome(context, "test_crash.py")
    assert (found["passed"], found["failed"]) == (1, 0)
    assert str(found["ended"]).startswith("It ended with exit code 66. It was running ")
    assert "test_crash" in str(found["ended"])


def test_a_file_that_cannot_be_read_is_an_error(context: Context) -> None:
    found = outcome(context, "test_syntax.py")
    assert found["errors"] == 1
    assert "SyntaxError" in str(found["failures"])
    assert correct.wrongs({"tests": [found], "sanitizer": {}}) == ["test_syntax.py: 1 tests failed, and it broke down"]


def test_the_seed_reaches_the_tests(context: Context) -> None:
    assert outcome(context, "test_seeded.py")["passed"] == 1


def test_operations_choose_files() -> None:
    path = Path("tests/kernels/device/test_beam_step_kernel.py")
    assert correct._wanted(path, ())
    assert correct._wanted(path, ("beam_step",))
    assert not correct._wanted(path, ("cross_entropy",))


CLEAN = "========= COMPUTE-SANITIZER\nlaunched beam_step\n========= ERROR SUMMARY: 0 errors\n"
OUT_OF_BOUNDS = """========= COMPUTE-SANITIZER
========= Invalid __global__ write of size 4 bytes
=========     at beam_step_merge_kernel+0x6d0
=========     by thread (0,0,0) in block (7,0,0)
========= ERROR SUMMARY: 3 errors
"""
RACE = """========= COMPUTE-SANITIZER
========= Error: Race reported between Write access at masked_attention_fwd_kernel+0x90
========= RACECHECK SUMMARY: 2 hazards displayed (2 errors, 0 warnings)
"""


@pytest.mark.parametrize(
    ("ended", "status", "kernels"),
    [
        (Ended(0, CLEAN), "clean", []),
        (Ended(0, "========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)\n"), "clean", []),
        (Ended(99, OUT_OF_BOUNDS), "errors", ["beam_step_merge_kernel"]),
        (Ended(99, RACE), "errors", ["masked_attention_fwd_kernel"]),
        (Ended(1, "========= Error: Device not supported\n"), "broke down", []),
        (Ended(None, "========= COMPUTE-SANITIZER\n"), "broke down", []),
        (Ended(0, "launched nothing"), "broke down", []),
    ],
)
def test_what_the_sanitizer_says(ended: Ended, status: str, kernels: list[str]) -> None:
    found = sanitizer.read(ended)
    assert found["status"] == status
    assert found["kernels"] == kernels
    assert bool(found["report"]) == (status != "clean")


def test_the_sanitizer_runs_both_tools(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = context.root / "compute-sanitizer"
    tool.write_text(
        f'#!{sys.executable}\nimport sys\nprint("=========", sys.argv[2], "SUMMARY: 4 errors")\nsys.exit(99)'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(context.root))
    file = ResultsFile(context, "correct", "made up")
    sanitizer.check(context, file)
    found = file.record["sanitizer"]
    assert found["tool"] == str(tool)
    assert sanitizer.wrongs(found) == ["memcheck: memcheck SUMMARY: 4 errors", "racecheck: racecheck SUMMARY: 4 errors"]


def test_without_the_tool_that_is_said(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(context.root / "empty"))
    file = ResultsFile(context, "correct", "made up")
    sanitizer.check(context, file)
    assert file.record["sanitizer"] == {"tool": "not installed"}
