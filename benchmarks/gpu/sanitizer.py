"""NVIDIA's compute-sanitizer over one launch of every kernel: bad memory accesses, and races in shared memory.

The `sanitizer` part of `correct.json`:

    {"tool": path or "not installed",
     "memcheck" | "racecheck": {"status": "clean" | "errors" | "broke down" | "left out", "seconds", "summary",
                                "kernels": [those named in reports], "report": first lines}}

In a rehearsal the launches run without the tool, to see that they run.
"""

import os
import re
import shutil
import sys
import time

from benchmarks.gpu.context import Context
from benchmarks.gpu.processes import Ended, Job, run_job
from benchmarks.gpu.results import Json, ResultsFile

# What PyTorch asks of CUDA and is refused is no error of a kernel.
TOOLS = {"memcheck": ("--report-api-errors", "no"), "racecheck": ()}
FOUND = 99  # the exit code we ask for when the tool has found something
SHORTEST = 30.0
REPORT_LINES = 30


def check(context: Context, file: ResultsFile) -> None:
    """Run both checkers and add what they say to the file."""
    tool = shutil.which("compute-sanitizer")
    found: Json = {"tool": tool or "not installed"}
    file.save(sanitizer=found)
    if context.rehearsal:
        ended = run_job(Job(command=_launches(context), seconds=context.left(), cwd=context.root))
        found["launches"] = ended.failure or "They ran, without the tool."
        file.save()
    elif tool:
        for i, name in enumerate(TOOLS):
            limit = context.left() / (len(TOOLS) - i)
            found[name] = {"status": "left out"} if limit < SHORTEST else _check_with(tool, name, context, limit)
            file.save()
            print(f"{name}: {found[name]['status']}: {found[name].get('summary', '')}", flush=True)


def _launches(context: Context) -> list[str]:
    return [sys.executable, "-m", "benchmarks.gpu.runner", "benchmarks.gpu.launches", context.to_json()]


def _check_with(tool: str, name: str, context: Context, limit: float) -> Json:
    # Without PyTorch's pool every tensor is an allocation of its own, so that a step beyond it shows.
    env = os.environ | {"PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}
    command = [tool, "--tool", name, *TOOLS[name], "--error-exitcode", str(FOUND), *_launches(context)]
    started = time.time()
    ended = run_job(Job(command=command, seconds=limit, cwd=context.root, env=env))
    return {"seconds": time.time() - started} | read(ended)


def read(ended: Ended) -> Json:
    """What the tool's output says; its own lines begin with =========."""
    lines = [line for line in ended.output.splitlines() if line.startswith("=========")]
    summary = next((line.strip("= ") for line in reversed(lines) if "SUMMARY" in line), "")
    numbers = [int(number) for number in re.findall(r"(\d+) (?:error|hazard)", summary)]
    clean = ended.code == 0 and bool(numbers) and not any(numbers)
    status = "clean" if clean else "errors" if any(numbers) or ended.code == FOUND else "broke down"
    report = lines if status == "errors" else ended.output.splitlines()[-REPORT_LINES:]
    return {
        "status": status,
        "summary": summary or ended.failure or "",
        "kernels": sorted(set(re.findall(r"\b(\w+_kernel)\b", "\n".join(lines)))),
        "report": [] if clean else report[:REPORT_LINES],
    }


def wrongs(record: Json) -> list[str]:
    """Clauses for what it found."""
    found = [f"{name}: {record[name]['summary']}" for name in TOOLS if record.get(name, {}).get("status") == "errors"]
    launches = record.get("launches", "They ran")
    return found if launches.startswith("They ran") else [*found, f"launches: {launches}"]
