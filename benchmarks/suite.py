"""All that a processor can answer, one question after the other, and then the report: what `make bench` runs.

    python -m benchmarks.suite [--data DIR] [--only NAME,NAME] [--dry-run]

Every step is a command that may be run alone; one that fails is named at the end, and the others go on. Steps that
need corpora are left out where no DIR is given. A quiet machine is needed, for some hours.
"""

import argparse
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.contest.machine import ROOT
from benchmarks.contest.options import some_of

DATA, SCRATCH = "{data}", "{scratch}"
_BOX = f"--model mtcli/model_directory/box/en-de --src {DATA}/tatoeba-en-de/test.en.xz"
STEPS = {  # by name: a module and its arguments; {scratch} stands for a folder that is removed afterwards
    "startup": "benchmarks.startup",
    "bench": "mtcli bench --device cpu --force -o benchmarks/results/cpu/bench.json",
    "decoding-base": f"benchmarks.decoding base --data {DATA}",
    "decoding-imported": f"benchmarks.decoding imported --data {DATA}",
    "decoding-trained": f"benchmarks.decoding trained {_BOX} --ref {DATA}/tatoeba-en-de/test.de.xz",
    "decoding-latency": f"benchmarks.decoding latency --data {DATA} {_BOX}",
    "training-tiny": f"benchmarks.training tiny --data {DATA}",
    "training-base": f"benchmarks.training base --data {DATA}",
    **{f"growth-{axis}": f"benchmarks.growth {axis}" for axis in ("length", "beam", "batch", "processes")},
    "corpus": f"benchmarks.corpus --directory {SCRATCH}",
    "growth-lines": "benchmarks.growth lines",
}


def command_of(step: str, data: Path | None, scratch: str) -> list[str]:
    """Return a step's command, with the folders in place."""
    words = STEPS[step].split()
    return [sys.executable, "-m", *(word.replace(DATA, str(data)).replace(SCRATCH, scratch) for word in words)]


def run(step: str, data: Path | None) -> bool:
    """Run one step to its end; return whether it ended well."""
    with tempfile.TemporaryDirectory() as scratch:
        command = command_of(step, data, scratch)
        print(f"\n{step}: {shlex.join(command)}", file=sys.stderr, flush=True)
        start = time.monotonic()
        code = subprocess.run(command, cwd=ROOT).returncode
    print(f"{step}: exit code {code} after {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return code == 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suite", description="Measure what a processor can.")
    parser.add_argument("--data", type=Path, help="the folder that holds the corpora's folders")
    parser.add_argument("--only", type=some_of(tuple(STEPS)), default=tuple(STEPS), help="names of steps (all)")
    parser.add_argument("--dry-run", action="store_true", help="print the commands only")
    arguments = parser.parse_args()
    data = arguments.data and arguments.data.resolve()
    without = [step for step in arguments.only if data is None and DATA in STEPS[step]]
    steps = [step for step in arguments.only if step not in without]
    failed = []
    if arguments.dry_run:
        print("\n".join(shlex.join(command_of(step, data, SCRATCH)) for step in steps))
    else:
        failed = [step for step in steps if not run(step, data)]
        subprocess.run([sys.executable, "-m", "benchmarks.report"], cwd=ROOT, check=True)
    if without:
        print(f"Left out, for want of --data DIR: {', '.join(without)}.", file=sys.stderr)
    if failed:
        sys.exit(f"Did not end well: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
