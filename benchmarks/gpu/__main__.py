"""The driver of `make gpu`: finds the GPU, installs what is missing, runs the stages.

    make gpu                                             all stages
    make gpu STAGE=ceilings,kernels OPS=beam_step        some of them, some operations
    make gpu PYTHON=python3.12 WHEELS=DIR RESULTS=DIR    on a machine without network
    make gpu TOTAL=800 DATA=DIR                          as much as 800 seconds allow, the most wanted first
    make gpu REHEARSE=1                                  on the CPU, at toy sizes, into build/gpu-rehearsal

Exit codes: 0 all stages ended well; 1 there is no GPU, something is missing, or a stage failed; 2 wrong options.
"""

import argparse
import json
import math
import os
import re
import secrets
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.gpu import packages
from benchmarks.gpu.context import Context
from benchmarks.gpu.kernels import SHARES
from benchmarks.gpu.processes import interrupt_on_terminate, run_module
from benchmarks.gpu.stages import Stage, budget, chosen

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
BUDGET = 420.0  # seconds of a stage; with the grace it has ended after eight minutes
GRACE = 55.0


def main() -> None:
    interrupt_on_terminate()
    arguments, stages = _arguments()
    _prepare_environment(arguments.rehearse)
    _install(stages, arguments.wheels)
    machine = _probe(arguments.rehearse)
    results = arguments.results or _default_results(machine, arguments.rehearse)
    if arguments.rehearse and RESULTS in results.resolve().parents:
        sys.exit(f"A rehearsal does not write into {RESULTS}: its figures mean nothing.")
    print(f"{_name(machine)}. Results go to {results}", flush=True)
    failed = _run_all(stages, arguments, machine, results.resolve())
    if failed:
        sys.exit(f"These stages did not end well: {', '.join(failed)}. What they found is in {results}.")


def _arguments() -> tuple[argparse.Namespace, list[Stage]]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description="Check and measure mtcli on a GPU.")
    parser.add_argument("--stage", default="all", help="comma-separated, or all")
    parser.add_argument("--ops", default="", help="operations for the stages correct and kernels, comma-separated; all")
    parser.add_argument("--data", type=Path, help="folder of corpora, for stages that need one")
    parser.add_argument("--wheels", type=Path, help="folder of wheels for packages that are missing")
    parser.add_argument("--results", type=Path, help="folder for the JSON files; benchmarks/results/<name of the GPU>")
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds that a stage may take")
    parser.add_argument(
        "--total", type=float, help="seconds for all stages; the most wanted are run, as far as it goes"
    )
    parser.add_argument("--seed", type=int, help="of everything random; a fresh one if not given")
    parser.add_argument("--rehearse", action="store_true", help="on the CPU, at toy sizes; figures mean nothing")
    arguments = parser.parse_args()
    try:
        stages = chosen(arguments.stage)
    except ValueError as error:
        parser.error(str(error))
    arguments.ops = tuple(op for op in arguments.ops.split(",") if op)
    if unknown := set(arguments.ops) - set(SHARES):
        parser.error(f"there is no operation {', '.join(sorted(unknown))}; there are {', '.join(SHARES)}.")
    if arguments.data is None and not arguments.rehearse:
        stages = _without_data(parser, stages, named="all" not in arguments.stage)
    return arguments, stages


def _without_data(parser: argparse.ArgumentParser, stages: list[Stage], *, named: bool) -> list[Stage]:
    """The stages that need no corpora; refuses those that were asked for by name."""
    lacking = ", ".join(stage.name for stage in stages if stage.needs_data)
    if lacking and named:
        parser.error(f"{lacking}: needs DATA, the folder of corpora.")
    if lacking:
        print(f"Left out, for want of DATA, the folder of corpora: {lacking}.", flush=True)
    return [stage for stage in stages if not stage.needs_data]


def _prepare_environment(rehearse: bool) -> None:
    """What this process and those it starts import from, and where the kernels run."""
    places = [ROOT / "build" / "gpu-packages", ROOT / "kernels", ROOT]
    given = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([*map(str, places), *([given] if given else [])])
    sys.path[:0] = map(str, places)
    os.environ.pop("TRITON_INTERPRET", None)
    if rehearse:
        os.environ |= {"TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def _install(stages: list[Stage], wheels: Path | None) -> None:
    """Install what is missing, or exit with one sentence."""
    requirements = [text for stage in stages for text in packages.requirements_of(ROOT, stage.needs)]
    lacking = list(dict.fromkeys(packages.missing(requirements)))
    if lacking and wheels is not None:
        lacking = packages.install(lacking, wheels.resolve(), ROOT / "build" / "gpu-packages")
    if not lacking:
        return
    for text in lacking:
        if text.startswith(packages.NEVER_INSTALLED):
            sys.exit(f"{sys.executable} lacks {text}, which is not installed here; name another: make gpu PYTHON=...")
    names = ", ".join(lacking)
    where = f"{wheels} has no wheel that fits" if wheels else "name a folder of wheels: make gpu WHEELS=..."
    sys.exit(f"{sys.executable} lacks {names}; {where}.")


def _probe(rehearse: bool) -> dict[str, Any]:
    answer = subprocess.run([sys.executable, "-m", "benchmarks.gpu.probe"], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    if answer.returncode:
        sys.exit(f"{sys.executable} cannot say what this machine is: python -m benchmarks.gpu.probe failed.")
    machine: dict[str, Any] = json.loads(answer.stdout)
    if machine["no_gpu"] and not rehearse:
        sys.exit(f"No GPU: {machine['no_gpu']}. To try everything on the CPU at toy sizes: make gpu REHEARSE=1")
    return machine


def _name(machine: dict[str, Any]) -> str:
    device: dict[str, str] = machine["device"]
    return device.get("gpu") or f"A rehearsal on {device['cpu']}: its figures mean nothing"


def _default_results(machine: dict[str, Any], rehearse: bool) -> Path:
    if rehearse:
        return ROOT / "build" / "gpu-rehearsal"
    return RESULTS / re.sub(r"[^a-z0-9]+", "-", _name(machine).lower()).strip("-")


def _run_all(stages: list[Stage], arguments: argparse.Namespace, machine: dict[str, Any], results: Path) -> list[str]:
    """Run the stages, as many as the total time allows; the names of those that failed."""
    ends_at = time.time() + (arguments.total or math.inf)
    failed, left_out = [], []
    for number, stage in enumerate(stages):
        # What a stage may overrun before it is stopped is kept back.
        left = ends_at - time.time() - (GRACE if arguments.total else 0.0)
        seconds = budget(stage, stages[number + 1 :], left, arguments.budget)
        if seconds is None:
            left_out.append(stage.name)
        elif not _run(stage, arguments, machine, results, seconds):
            failed.append(stage.name)
    if left_out:
        print(f"\nThere was no time for: {', '.join(left_out)}.", flush=True)
    return failed


def _run(stage: Stage, arguments: argparse.Namespace, machine: dict[str, Any], results: Path, seconds: float) -> bool:
    """Run one stage; whether it ended well."""
    context = Context(
        root=ROOT,
        results=results,
        work=ROOT / "build" / "gpu-work",
        data=arguments.data and arguments.data.resolve(),
        budget=seconds,
        ends_at=time.time() + seconds,
        rehearsal=arguments.rehearse,
        toy=arguments.rehearse,
        seed=secrets.randbelow(2**31) if arguments.seed is None else arguments.seed,
        ops=arguments.ops,
        command=_shown_command(stage, arguments),
        device=machine["device"],
        versions=machine["versions"],
    )
    print(f"\n{stage.name}, at most {context.budget:.0f} seconds, seed {context.seed}:", flush=True)
    ended = run_module(stage.module, context, grace=GRACE, to_stop=5.0)
    if ended.failure:
        print(f"{stage.name}: {ended.failure}", file=sys.stderr)
    return ended.failure is None


def _shown_command(stage: Stage, arguments: argparse.Namespace) -> str:
    words = ["make", "gpu", f"STAGE={stage.name}"]
    words += [f"OPS={','.join(arguments.ops)}"] if arguments.ops else []
    words += ["REHEARSE=1"] if arguments.rehearse else []
    return shlex.join(words)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
