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
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report.pages import ROOT

DATA, SCRATCH = "{data}", "{scratch}"


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        name: as --only names it.
        words: program and arguments; {data} stands for the folder of corpora, {scratch} for one
            that is removed afterwards.
    """

    name: str
    words: tuple[str, ...]

    @property
    def needs_data(self) -> bool:
        return any(DATA in word for word in self.words)

    def command(self, data: Path | None, scratch: str) -> list[str]:
        """With the folders in place; the Python that runs this runs scripts too."""
        filled = [word.replace(DATA, str(data)).replace(SCRATCH, scratch) for word in self.words]
        return [sys.executable, *filled[1:]] if filled[0] == "python" else filled


def _script(name: str, *options: str) -> tuple[str, ...]:
    return ("python", "-m", f"benchmarks.{name}", *options)


_IN_THE_BOX = ("MODEL=mtcli/model_directory/box/en-de", f"SRC={DATA}/tatoeba-en-de/test.en.xz")
STEPS = (
    Step("startup", _script("startup", "--out", "benchmarks/results/cpu/startup.json")),
    Step(
        "bench",
        ("python", "-m", "mtcli", "bench", "--device", "cpu", "--force", "-o", "benchmarks/results/cpu/bench.json"),
    ),
    Step("decoding-base", ("make", "bench-decoding", "QUESTION=base", f"DATA={DATA}")),
    Step("decoding-imported", ("make", "bench-decoding", "QUESTION=imported", f"DATA={DATA}")),
    Step(
        "decoding-trained",
        ("make", "bench-decoding", "QUESTION=trained", *_IN_THE_BOX, f"REF={DATA}/tatoeba-en-de/test.de.xz"),
    ),
    Step("decoding-latency", ("make", "bench-decoding", "QUESTION=latency", f"DATA={DATA}", *_IN_THE_BOX)),
    Step("decoding-profile", ("make", "bench-decoding", "QUESTION=profile", f"DATA={DATA}", *_IN_THE_BOX)),
    Step("training-tiny", ("make", "bench-training", "QUESTION=tiny", f"DATA={DATA}")),
    Step("training-base", ("make", "bench-training", "QUESTION=base", f"DATA={DATA}")),
    Step("training-profile", ("make", "bench-training", "QUESTION=profile", f"DATA={DATA}")),
    *(Step(f"growth-{axis}", _script("growth", axis)) for axis in ("length", "beam", "batch", "processes")),
    Step("corpus", _script("corpus", "--directory", SCRATCH, "--out", "benchmarks/results/cpu/corpus.json")),
    Step("growth-lines", _script("growth", "lines")),
)


def chosen(only: str) -> list[Step]:
    """The steps of a comma-separated list, in the order of STEPS; all where it is empty.

    Raises:
        ValueError: a name that is none of them.
    """
    wanted = {name.strip() for name in only.split(",") if name.strip()}
    if unknown := wanted - {step.name for step in STEPS}:
        known = ", ".join(step.name for step in STEPS)
        raise ValueError(f"there is no {', '.join(sorted(unknown))}; there are {known}.")
    return [step for step in STEPS if not wanted or step.name in wanted]


def run(step: Step, data: Path | None) -> bool:
    """Run one step to its end; whether it ended well."""
    with tempfile.TemporaryDirectory() as scratch:
        command = step.command(data, scratch)
        print(f"\n{step.name}: {shlex.join(command)}", file=sys.stderr, flush=True)
        start = time.monotonic()
        code = subprocess.run(command, cwd=ROOT).returncode
    print(f"{step.name}: exit code {code} after {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return code == 0


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure all that a processor can answer, then write the report.")
    parser.add_argument("--data", type=Path, help="the folder that holds the corpora's folders")
    parser.add_argument("--only", default="", help="comma-separated names of steps; all if not given")
    parser.add_argument("--dry-run", action="store_true", help="print the commands only")
    arguments = parser.parse_args()
    try:
        steps = chosen(arguments.only)
    except ValueError as error:
        parser.error(str(error))
    data = arguments.data and arguments.data.resolve()
    without = [step.name for step in steps if step.needs_data and data is None]
    steps = [step for step in steps if step.name not in without]
    if arguments.dry_run:
        print("\n".join(shlex.join(step.command(data, SCRATCH)) for step in steps))
        failed = []
    else:
        failed = [step.name for step in steps if not run(step, data)]
        subprocess.run([sys.executable, "-m", "benchmarks.report"], cwd=ROOT, check=True)
    if without:
        print(f"Left out, for want of --data DIR: {', '.join(without)}.", file=sys.stderr)
    if failed:
        sys.exit(f"Did not end well: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
