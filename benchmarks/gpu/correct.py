"""Stage `correct`: the kernels' tests on the GPU, then NVIDIA's memory and race checkers.

Each file of tests/kernels/device runs in a process of its own, so that one broken kernel fails its own tests alone.
`correct.json` adds to what every results file says

    {"tests": [{"file", "seconds", "passed", "failed", "skipped", "errors", "ended": sentence if it broke down,
                "failures": [{"test", "message": its first lines}]}],
     "sanitizer": see gpu.sanitizer}

The seed is torch's before each test, hypothesis's, and MTCLI_TEST_SEED.
"""

import json
import os
import sys
from collections import Counter
from pathlib import Path

from benchmarks.gpu import sanitizer
from benchmarks.gpu.context import Context
from benchmarks.gpu.processes import Ended, Job, run_jobs
from benchmarks.gpu.results import Json, ResultsFile
from mtcli.bench.host import available_cores

TESTS = Path("tests/kernels/device")
TESTS_SHARE = 0.7  # of the stage's time; the checkers get the rest
LARGE_GIB, MOST_AT_ONCE = 30, 4
REHEARSED = 2  # tests of each file
FAILURES_KEPT = 20
MESSAGE_LINES = 6


def run(context: Context) -> None:
    context.work.mkdir(parents=True, exist_ok=True)
    file = ResultsFile(context, "correct", "The kernels' tests on a GPU")
    file.save(tests=[], sanitizer={})
    part = context.within(context.left() * TESTS_SHARE)
    files = [path for path in sorted((context.root / TESTS).glob("test_*.py")) if _wanted(path, context.ops)]
    at_once = _at_once(context)
    # One that hangs must leave time for the others, if they have to wait for it.
    limit = part.left() * min(1.0, 3 * at_once / max(len(files), 1))
    waiting = [_job(path, part, limit) for path in files]
    for job, ended in run_jobs(waiting, at_once):
        path = Path(job.command[-1])
        result = {"file": path.name} | summarise(_record(path, context), ended)
        if ended.code is None:
            file.leave_out(f"the rest of {path.name}")
        file.save(tests=[*file.record["tests"], result])
        print(one_line(result), flush=True)
    sanitizer.check(context, file)
    if wrong := wrongs(file.record):
        sys.exit("; ".join(wrong))


def _wanted(path: Path, ops: tuple[str, ...]) -> bool:
    return not ops or any(path.stem.startswith(f"test_{op}") for op in ops)


def _at_once(context: Context) -> int:
    """Most of the time goes into compiling kernels, on the CPU; a large GPU has room for several files' tensors."""
    if context.rehearsal or context.device.get("memory_gib", 0) < LARGE_GIB:
        return 1
    return max(1, min(MOST_AT_ONCE, available_cores() // 2))


def _record(path: Path, context: Context) -> Path:
    return context.work / f"{path.stem}.jsonl"


def _job(path: Path, context: Context, limit: float) -> Job:
    """One file of tests in a process of its own."""
    record = _record(path, context)
    record.unlink(missing_ok=True)
    command: list[str | Path] = [
        *(
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "benchmarks.gpu.recorder",
            "-p",
            "no:cacheprovider",
            "--gpu-record",
            record,
        ),
        *(f"--gpu-seed={context.seed}", f"--hypothesis-seed={context.seed}", "--no-header", "--tb=short"),
        *([f"--gpu-sample={REHEARSED}"] if context.rehearsal else []),
        path,
    ]
    env = os.environ | {"MTCLI_TEST_SEED": str(context.seed)}
    return Job(command=command, seconds=limit, until=context.ends_at, cwd=context.root, env=env)


def summarise(record: Path, ended: Ended) -> Json:
    """Count what the recorder wrote."""
    text = record.read_text(encoding="utf-8") if record.exists() else ""
    entries: list[Json] = [json.loads(line) for line in text.splitlines()]
    begun = [entry for entry in entries if entry["outcome"] == "begun"]
    done = [entry for entry in entries if entry["outcome"] != "begun"]
    counts = Counter(entry["outcome"] for entry in done)
    failures = [entry for entry in done if entry["outcome"] in ("failed", "error")]
    broke_down = ended.failure if ended.code not in (0, 1) else None  # 1: tests failed, which is counted
    if broke_down and (unfinished := {one["test"] for one in begun} - {one["test"] for one in done}):
        broke_down += f" It was running {', '.join(sorted(unfinished))}."
    if broke_down and not done:
        broke_down += " " + " ".join(ended.output.strip().splitlines()[-MESSAGE_LINES:])
    return {
        "seconds": sum(entry["seconds"] for entry in done),
        "passed": counts["passed"],
        "failed": counts["failed"],
        "skipped": counts["skipped"],
        "errors": counts["error"],
        "ended": broke_down,
        "failures": [
            {"test": entry["test"], "message": "\n".join(entry["message"].splitlines()[:MESSAGE_LINES])}
            for entry in failures[:FAILURES_KEPT]
        ],
    }


def one_line(result: Json) -> str:
    """A file's tests in short, for the terminal."""
    line = (
        f"{result['file']}: {result['passed']} passed, {result['failed']} failed, {result['errors']} errors, "
        f"{result['skipped']} skipped in {result['seconds']:.1f} s"
    )
    failures = [f"\n  {one['test']}: {one['message'].splitlines()[:1]}" for one in result["failures"][:5]]
    return "".join([line, *failures, f"\n  {result['ended']}" if result["ended"] else ""])


def wrongs(record: Json) -> list[str]:
    """Clauses that say what is not as it should be."""
    found = [
        f"{one['file']}: {one['failed'] + one['errors']} tests failed{', and it broke down' if one['ended'] else ''}"
        for one in record["tests"]
        if one["failed"] or one["errors"] or one["ended"]
    ]
    return found + sanitizer.wrongs(record["sanitizer"])
