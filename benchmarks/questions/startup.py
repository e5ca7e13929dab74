"""How fast the command line answers: `mtcli --help`, and one line translated by a new process.

    .venv/bin/python -m benchmarks.startup --out benchmarks/results/cpu/startup.json

The model is the one that comes with mtcli. Every run is a new process; one run beforehand, not counted, brings the
files into the disk cache.
benchmarks/report/pages.py describes the file written.
"""

import argparse
import re
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.contest.machine import device_facts, mtcli_command, today, versions
from benchmarks.questions.quality import training_summary
from benchmarks.report.pages import Startup, Timing
from mtcli.model_directory.box import IN_THE_BOX

HELP_RUNS = 10
TRANSLATE_RUNS = 5


def run(command: list[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command to its end, or stop here and show what it said."""
    finished = subprocess.run(command, input=stdin, capture_output=True, text=True, encoding="utf-8")
    if finished.returncode:
        sys.exit(f"{shlex.join(command)} ended with exit code {finished.returncode}: {finished.stderr}")
    return finished


def wall_time(command: list[str], runs: int, stdin: str = "") -> Timing:
    """Seconds from start to exit, over `runs` new processes after one that is not counted."""
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        run(command, stdin)
        seconds.append(time.perf_counter() - start)
    counted = [round(value, 3) for value in seconds[1:]]
    return Timing(runs=runs, median=statistics.median(counted), min=min(counted), max=max(counted))


def refuse_torch_in_help() -> None:
    """Exit if `mtcli --help` loads torch, by the interpreter's own list of imports."""
    trace = run([sys.executable, "-X", "importtime", "-m", "mtcli", "--help"]).stderr
    if re.search(r"\| +torch$", trace, flags=re.MULTILINE):
        sys.exit("`mtcli --help` imports torch: move the import into the body of the command that needs it.")


def measure(line: str) -> Startup:
    """Time both commands.

    Exits when the help loads torch, or the line's translation is not one line with something on it.
    """
    refuse_torch_in_help()
    mtcli = mtcli_command()
    translate = [mtcli, "translate", "--quiet"]
    output = run(translate, line + "\n").stdout
    if output.count("\n") != 1 or not output.strip():
        sys.exit(f"`mtcli translate` answered one line with {output!r}; expected one line that is not blank.")
    return Startup.model_validate(
        {
            "title": "Start-up",
            "command": ["mtcli --help", f"echo {shlex.quote(line)} | mtcli translate --quiet"],
            "device": device_facts(),
            "versions": versions(),
            "date": today(),
            "help": wall_time([mtcli, "--help"], HELP_RUNS),
            "translate": wall_time(translate, TRANSLATE_RUNS, line + "\n"),
            "parameters": training_summary(IN_THE_BOX).parameters,
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Time `mtcli --help` and a one-line translation; record as JSON.")
    parser.add_argument("--line", default="Where is the station?", help="the line to translate")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    arguments = parser.parse_args()

    result = measure(arguments.line)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    print(f"wrote {arguments.out}; now run: python -m benchmarks.report", file=sys.stderr)


if __name__ == "__main__":
    main()
