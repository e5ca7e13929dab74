"""How fast the command line answers: `mtcli --help`, and one line translated by a new process.

The model is the one that comes with mtcli. Every run is a new process; one run beforehand, not counted, brings the
files into the disk cache.
"""

import argparse
import json
import re
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.contest.machine import RESULTS, mtcli_command, opening, save
from benchmarks.contest.processes import finished
from benchmarks.contest.records import Startup, Timing
from mtcli.model_directory.box import IN_THE_BOX

HELP_RUNS, TRANSLATE_RUNS = 10, 5
LINE = "Where is the station?"


def wall_time(command: list[str], runs: int, stdin: str = "") -> Timing:
    """Return seconds from start to exit, over `runs` new processes after one that is not counted."""
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        finished(command, input=stdin, stderr=subprocess.PIPE)
        seconds.append(time.perf_counter() - start)
    counted = seconds[1:]
    return Timing(runs=runs, median=statistics.median(counted), min=min(counted), max=max(counted))


def measure() -> Startup:
    """Time both commands.

    Exits when the help loads torch, or the line's translation is not one line with something on it.
    """
    trace = finished([sys.executable, "-X", "importtime", "-m", "mtcli", "--help"], stderr=subprocess.PIPE).stderr
    if re.search(r"\| +torch$", trace, flags=re.MULTILINE):
        sys.exit("`mtcli --help` imports torch: move the import into the body of the command that needs it.")
    mtcli = mtcli_command()
    translate = [mtcli, "translate", "--quiet"]
    output = finished(translate, input=LINE + "\n", stderr=subprocess.PIPE).stdout
    if output.count("\n") != 1 or not output.strip():
        sys.exit(f"`mtcli translate` answered one line with {output!r}; expected one line that is not blank.")
    provenance = json.loads((IN_THE_BOX / "provenance.json").read_text(encoding="utf-8"))
    return Startup(
        **opening("Start-up", ["mtcli --help", f"echo {shlex.quote(LINE)} | mtcli translate --quiet"]),
        help=wall_time([mtcli, "--help"], HELP_RUNS),
        translate=wall_time(translate, TRANSLATE_RUNS, LINE + "\n"),
        parameters=provenance["training"]["parameters"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description="Time the command line.")
    parser.add_argument("--out", type=Path, default=RESULTS / "cpu" / "startup.json", help="the JSON file to write")
    arguments = parser.parse_args()
    save(measure(), arguments.out)


if __name__ == "__main__":
    main()
