"""Are the kernels right on this GPU? Their tests, those for GPUs first, then NVIDIA's memory and race checkers.

    python -m benchmarks.gpu.correct --seconds 200 --out correct.json

Each file of tests/kernels/device runs in a process of its own, so that one broken kernel fails its own tests alone.
compute-sanitizer looks at one launch of every kernel. Exit code 1: something is wrong.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.contest.machine import ROOT, opening, save
from benchmarks.contest.options import clock, exits_with_a_sentence
from benchmarks.contest.processes import run
from benchmarks.contest.records import Correct, Sanitized, Tested
from mtcli.bench.host import available_cores

TESTS = ROOT / "tests" / "kernels" / "device"
TESTS_SHARE = 0.75  # of the time; the checkers get the rest
MOST_AT_ONCE = 4  # most of the time goes into compiling kernels, on the CPU
REHEARSED = 2  # tests of each file
FAILURES_KEPT = 20
# What PyTorch asks of CUDA and is refused is no error of a kernel.
TOOLS = {"memcheck": ("--report-api-errors", "no"), "racecheck": ()}
FOUND = 99  # the exit code we ask for when a tool has found something
SHORTEST = 20.0
LAUNCHES = (sys.executable, "-m", "mtcli.bench.kernels.launch")
_OUTCOME = re.compile(r"^(\S+::.+?) (PASSED|FAILED|SKIPPED|ERROR)\b", flags=re.MULTILINE)
_UNFINISHED = re.compile(r"^(\S+::\S+) *$", flags=re.MULTILINE)
_WHY = re.compile(r"^(?:FAILED|ERROR) (.+)$", flags=re.MULTILINE)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu.correct", description="Check the kernels.")
    parser.add_argument("--seconds", type=float, default=420.0, help="for all of it")
    parser.add_argument("--seed", type=int, default=1, help="of everything random")
    parser.add_argument("--ops", default="", help="operations whose tests run, comma-separated (all)")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file, written whenever more is known")
    arguments = parser.parse_args()
    left, ops = clock(arguments.seconds), [op for op in arguments.ops.split(",") if op]
    command = f"python -m benchmarks.gpu.correct --seconds {arguments.seconds:.0f} --seed {arguments.seed}"
    head = opening("The kernels' tests on a GPU", command, device="cuda")
    found = Correct(**head, seed=arguments.seed, left_out=[], tests=[], sanitizer=[])

    def keep(**more: Any) -> None:
        nonlocal found
        found = found.model_copy(update=more)
        save(found, arguments.out, quiet=True)

    keep()
    with TemporaryDirectory() as folder:
        for result in _tests(ops, arguments.seed, left() * TESTS_SHARE, Path(folder)):
            keep(tests=[*found.tests, result])
            print(one_line(result), flush=True)
        for tool in TOOLS:
            checked = _sanitized(tool, left() / (2 if tool == "memcheck" else 1), Path(folder))
            keep(sanitizer=[*found.sanitizer, checked])
            print(f"{tool}: {checked.status}: {checked.summary}", flush=True)
    keep(left_out=[one.file for one in found.tests if one.ended and "time limit" in one.ended])
    if wrong := wrongs(found):
        sys.exit("; ".join(wrong))


def _tests(ops: Sequence[str], seed: int, seconds: float, folder: Path) -> Iterator[Tested]:
    """The results of each file, those of the tests for GPUs first."""
    rehearsal, stop, ends_at = "TRITON_INTERPRET" in os.environ, threading.Event(), time.monotonic() + seconds
    files = [path for path in sorted(TESTS.glob("test_*.py")) if not ops or any(op in path.stem for op in ops)]
    jobs = [(path, marks) for marks in (("not gpu",) if rehearsal else ("gpu", "not gpu")) for path in files]

    def one(number: int, path: Path, marks: str) -> Tested:
        log, start = folder / f"{number}.log", time.monotonic()
        chosen = _first_tests(path, marks) if rehearsal else [str(path)]
        options = ["-v", "--no-header", "--tb=line", "-rfE", "-p", "no:cacheprovider", f"--hypothesis-seed={seed}"]
        command = [sys.executable, "-m", "pytest", *options, "-m", marks, *chosen]
        limit = max(ends_at - time.monotonic(), 1.0)
        variables = {"MTCLI_TEST_SEED": str(seed)}
        code = run(command, log, seconds=limit, cwd=ROOT, environment=variables, stop=stop)
        said = log.read_text(encoding="utf-8", errors="replace")
        return summarised(f"{path.name}, {marks}", said, code, time.monotonic() - start)

    with ThreadPoolExecutor(1 if rehearsal else max(1, min(MOST_AT_ONCE, available_cores() // 2))) as pool:
        try:
            running = [pool.submit(one, number, *job) for number, job in enumerate(jobs)]
            for ended in as_completed(running):
                yield ended.result()
        finally:
            stop.set()


def _first_tests(path: Path, marks: str) -> list[str]:
    collected = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-m", marks, str(path)]
    asked = subprocess.run(collected, capture_output=True, text=True, cwd=ROOT)
    return [line for line in asked.stdout.splitlines() if "::" in line][:REHEARSED]


def summarised(name: str, said: str, code: int | None, seconds: float) -> Tested:
    """Count what pytest -v said, also where it was stopped before its end.

    Args:
        name: of the file.
        said: its output.
        code: its exit code; None where it was stopped.
        seconds: that it took.
    """
    outcomes = Counter(outcome for _, outcome in _OUTCOME.findall(said))
    ended = None
    if code is None:
        ended = "It was stopped at its time limit."
    elif code not in (0, 1, 5):  # 1: tests failed, which is counted; 5: there are none of these marks
        ended = f"It ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}."
    if ended and (unfinished := _UNFINISHED.findall(said)):
        ended += f" It was running {unfinished[-1]}."
    return Tested(
        file=name,
        seconds=seconds,
        passed=outcomes["PASSED"],
        failed=outcomes["FAILED"] + outcomes["ERROR"],
        skipped=outcomes["SKIPPED"],
        ended=ended,
        failures=_WHY.findall(said)[:FAILURES_KEPT],
    )


def one_line(result: Tested) -> str:
    """Return a file's tests in short, for the terminal."""
    counts = f"{result.passed} passed, {result.failed} failed, {result.skipped} skipped in {result.seconds:.1f} s"
    return "\n  ".join([f"{result.file}: {counts}", *result.failures[:5], *([result.ended] if result.ended else [])])


def _sanitized(tool: str, seconds: float, folder: Path) -> Sanitized:
    path, log = shutil.which("compute-sanitizer"), folder / f"{tool}.log"
    rehearsal = "TRITON_INTERPRET" in os.environ
    if seconds < SHORTEST or (path is None and not rehearsal):
        why = "compute-sanitizer is not installed" if path is None else "the time did not suffice"
        return Sanitized(tool=tool, status="left out", summary=why, kernels=[], report=[])
    # Without PyTorch's pool every tensor is an allocation of its own, so that a step beyond it shows.
    variables = {"PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}
    checker = [] if rehearsal else [str(path), "--tool", tool, *TOOLS[tool], "--error-exitcode", str(FOUND)]
    code = run([*checker, *LAUNCHES], log, seconds=seconds, cwd=ROOT, environment=variables)
    return read(tool, log.read_text(encoding="utf-8", errors="replace"), code)


def read(tool: str, said: str, code: int | None) -> Sanitized:
    """Return what a tool's output says; its own lines begin with =========."""
    lines = [line for line in said.splitlines() if line.startswith("=========")]
    summary = next((line.strip("= ") for line in reversed(lines) if "SUMMARY" in line), "")
    numbers = [int(number) for number in re.findall(r"(\d+) (?:error|hazard)", summary)]
    clean = code == 0 and bool(numbers) and not any(numbers)
    status = "clean" if clean else "errors" if any(numbers) or code == FOUND else "broke down"
    return Sanitized(
        tool=tool,
        status=status,
        summary=summary or (f"exit code {code}" if code is not None else "it was stopped at its time limit"),
        kernels=sorted(set(re.findall(r"\b(\w+_kernel)\b", "\n".join(lines)))),
        report=[] if clean else (lines if status == "errors" else said.splitlines()[-30:])[:30],
    )


def wrongs(found: Correct) -> list[str]:
    """Return clauses that say what is not as it should be."""
    wrong = [
        f"{one.file}: {one.failed} tests failed{', and it broke down' if one.ended else ''}"
        for one in found.tests
        if one.failed or one.ended
    ]
    return wrong + [f"{one.tool}: {one.summary}" for one in found.sanitizer if one.status == "errors"]


if __name__ == "__main__":
    exits_with_a_sentence(main)
