"""The driver of `make gpu`: finds the GPU, installs what is missing, runs the stages.

    make gpu                                             all stages
    make gpu STAGE=kernels OPS=beam_step                 some of them, some operations
    make gpu PYTHON=python3.12 WHEELS=DIR RESULTS=DIR    on a machine without network
    make gpu TOTAL=800 DATA=DIR                          as much as 800 seconds allow, the most wanted first
    make gpu REHEARSE=1                                  on the CPU, at toy sizes, into build/gpu-rehearsal

Exit codes: 0 all stages ended well; 1 there is no GPU, something is missing, or a stage failed; 2 wrong options.
"""

import argparse
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contest.machine import RESULTS, ROOT, package_path
from benchmarks.contest.options import clock, exits_with_a_sentence, some_of
from benchmarks.contest.processes import run
from benchmarks.gpu.packages import PLACE, install, missing
from benchmarks.gpu.stages import DATA, OPS, SECONDS, SEED, STAGES, WORK, Stage
from benchmarks.gpu.stages import RESULTS as INTO

BUDGET = 420.0  # seconds of a stage; with the grace it has ended after eight minutes
GRACE = 45.0
_PROBE = """
import json, torch
why = None
if torch.version.cuda is None: why = f"this PyTorch ({torch.__version__}) is not built for CUDA"
elif not torch.cuda.is_available(): why = f"PyTorch {torch.__version__} finds no CUDA device"
print(json.dumps({"why": why, "name": None if why else torch.cuda.get_device_name(0)}))
"""


def main() -> None:
    arguments, stages = _arguments()
    _prepare_environment(arguments.rehearse)
    _install(arguments.wheels)
    name = _gpu(arguments.rehearse)
    default = ROOT / "build" / "gpu-rehearsal" if arguments.rehearse else RESULTS / _slug(name)
    results = (arguments.results or default).resolve()
    if arguments.rehearse and RESULTS in results.parents:
        sys.exit(f"A rehearsal does not write into {RESULTS}: its figures mean nothing.")
    results.mkdir(parents=True, exist_ok=True)
    print(f"{name}. Results go to {results}", flush=True)
    if failed := _run_all(stages, arguments, results):
        sys.exit(f"These stages did not end well: {', '.join(failed)}. What they found is in {results}.")


def _arguments() -> tuple[argparse.Namespace, list[Stage]]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description="Check and measure mtcli on a GPU.")
    names = tuple(stage.name for stage in STAGES)
    parser.add_argument("--stage", type=some_of((*names, "all")), default=("all",), help=f"{', '.join(names)} or all")
    parser.add_argument("--ops", default="", help="operations for the stages correct and kernels, comma-separated; all")
    parser.add_argument("--data", type=Path, help="folder of corpora, for stages that need one")
    parser.add_argument("--wheels", type=Path, help="folder of wheels for packages that are missing")
    parser.add_argument("--results", type=Path, help="folder for the JSON files; benchmarks/results/<name of the GPU>")
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds that a stage may take")
    parser.add_argument("--total", type=float, help="seconds for all stages; the most wanted run, as far as it goes")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31), help="of everything random (a fresh one)")
    parser.add_argument("--rehearse", action="store_true", help="on the CPU, at toy sizes; figures mean nothing")
    arguments = parser.parse_args()
    stages = [stage for stage in STAGES if "all" in arguments.stage or stage.name in arguments.stage]
    lacking = [stage.name for stage in stages if stage.needs_data and arguments.data is None]
    if lacking and "all" not in arguments.stage:
        parser.error(f"{', '.join(lacking)}: needs DATA, the folder of corpora.")
    if lacking:
        print(f"Left out, for want of DATA, the folder of corpora: {', '.join(lacking)}.", flush=True)
    return arguments, [stage for stage in stages if stage.name not in lacking]


def _prepare_environment(rehearse: bool) -> None:
    """What the stages import from, and where the kernels run."""
    os.environ.pop("TRITON_INTERPRET", None)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(PLACE), package_path()["PYTHONPATH"]])
    os.environ["PYTHONUNBUFFERED"] = "1"
    sys.path.insert(0, str(PLACE))
    if rehearse:
        os.environ |= {"TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def _install(wheels: Path | None) -> None:
    """Install what is missing, or exit with a sentence."""
    lacking = missing()
    if lacking and wheels is not None:
        install(wheels.resolve())
        lacking = missing()
    if lacking:
        where = f"{wheels} has no wheel of it that fits" if wheels else "name a folder of wheels: make gpu WHEELS=..."
        sys.exit(f"{sys.executable} lacks {', '.join(lacking)}; {where}. PyTorch and Triton must be there already.")


def _gpu(rehearse: bool) -> str:
    """The GPU's name, or exit with a sentence where there is none."""
    asked = subprocess.run([sys.executable, "-c", _PROBE], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    if asked.returncode:
        sys.exit(f"{sys.executable} cannot load PyTorch; name another: make gpu PYTHON=...")
    found = json.loads(asked.stdout.splitlines()[-1])
    if rehearse:
        return "A rehearsal: its figures mean nothing"
    if found["why"]:
        sys.exit(f"No GPU: {found['why']}. To try everything on the CPU at toy sizes: make gpu REHEARSE=1")
    return str(found["name"])


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _run_all(stages: Sequence[Stage], arguments: argparse.Namespace, results: Path) -> list[str]:
    """Run the stages, as many as the total time allows; the names of those that failed."""
    left = clock(arguments.total)
    failed, left_out = [], []
    for number, stage in enumerate(stages):
        # What a stage may overrun before it is stopped is kept back.
        spare = left() - (GRACE if arguments.total else 0.0)
        seconds = budget(stage, stages[number + 1 :], spare, arguments.budget)
        if seconds is None:
            left_out.append(stage.name)
        elif not _run(stage, arguments, results, seconds):
            failed.append(stage.name)
    if left_out:
        print(f"\nThere was no time for: {', '.join(left_out)}.", flush=True)
    return failed


def budget(stage: Stage, behind: Sequence[Stage], left: float, most: float) -> float | None:
    """Return the seconds that a stage gets of those that are left for it and those behind; None where too few are."""
    if left < stage.least:
        return None
    share = left * stage.weight / (stage.weight + sum(one.weight for one in behind))
    return min(most, left, max(share, stage.least))


def _run(stage: Stage, arguments: argparse.Namespace, results: Path, seconds: float) -> bool:
    """Run one stage; whether it ended well."""
    data = str(arguments.data.resolve()) if arguments.data else ""
    places = {
        f"{DATA}?": data,
        DATA: data,
        SECONDS: f"{seconds:.0f}",
        INTO: str(results),
        WORK: str(ROOT / "build" / "gpu-work"),
        SEED: str(arguments.seed),
        OPS: arguments.ops,
        "{device}": "cpu" if arguments.rehearse else "cuda",
    }
    words = stage.words(places, rehearse=arguments.rehearse)
    print(f"\n{stage.name}, at most {seconds:.0f} seconds: {' '.join(words[2:])}", flush=True)
    code = run(words, None, seconds=seconds + GRACE, cwd=ROOT)
    if code:
        print(f"{stage.name}: it ended with exit code {code}.", file=sys.stderr, flush=True)
    if code is None:
        print(f"{stage.name}: it was stopped at its time limit.", file=sys.stderr, flush=True)
    return code == 0


if __name__ == "__main__":
    exits_with_a_sentence(main)
