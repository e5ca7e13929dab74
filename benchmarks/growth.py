"""How time and memory of `mtcli translate` grow: with lines, their length, the beam, the batch and processes.

    python -m benchmarks.growth AXIS [--out FILE]      AXIS: lines, length, beam, batch or processes

Every figure is a process from its start to its end, on sentences of the demo's grammar, no two alike, with the model
that comes with mtcli. Rounds go along the axis and back in turns; the file is written anew after every round.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.contest.machine import RESULTS, mtcli_command, opening, save
from benchmarks.contest.records import Growth, GrowthPoint, GrowthRun, Record
from mtcli.demo.grammar import generate

RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in what wait4 calls the largest resident size


class Load(Record):
    """What one place of an axis translates.

    Attributes:
        at: the place.
        lines: how many, all processes together.
        joined: sentences of the grammar that make a line.
        options: of `mtcli translate`.
        processes: at once, each with its part of the lines.
    """

    at: int
    lines: int
    joined: int = 1
    options: tuple[str, ...] = ("--greedy",)
    processes: int = 1


class Axis(Record):
    """One thing that grows."""

    title: str
    axis: str
    fixed: str
    rounds: int
    loads: tuple[Load, ...]


def axes() -> dict[str, Axis]:
    """Return the axes of growth.toml, by name."""
    found = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {name: Axis.model_validate(fields) for name, fields in found.items()}


def text_of(load: Load) -> list[str]:
    """Return the lines, the same ones for the same load."""
    pairs = generate(num_train=max(load.lines * load.joined, 2_000)).train[: load.lines * load.joined]
    starts = range(0, len(pairs), load.joined)
    return [" ".join(pair.english for pair in pairs[start : start + load.joined]) for start in starts]


def run_at(load: Load, lines: Sequence[str], folder: Path) -> tuple[GrowthRun, int, int]:
    """Translate in so many processes at once; return the figures, and the tokens of either side.

    Exits when a process fails or gives another number of lines.
    """
    parts = [lines[number :: load.processes] for number in range(load.processes)]
    files = [folder / f"part-{number}" for number in range(load.processes)]
    for file, part in zip(files, parts, strict=True):
        file.with_suffix(".in").write_text("".join(f"{line}\n" for line in part), encoding="utf-8")
    start = time.perf_counter()
    running = [_started(load, file) for file in files]
    peaks = [_ended(process) for process in running]
    seconds = time.perf_counter() - start
    for file, part in zip(files, parts, strict=True):
        given = file.with_suffix(".out").read_text(encoding="utf-8").count("\n")
        if given != len(part):
            sys.exit(f"`mtcli translate` gave {given} lines for {len(part)}.")
    stats = [json.loads(file.with_suffix(".json").read_text(encoding="utf-8")) for file in files]
    source, target = (sum(one[side] for one in stats) for side in ("source_tokens", "target_tokens"))
    rate = target / max(one["seconds"] for one in stats)
    return GrowthRun(seconds=seconds, tokens_per_second=rate, peak_mib=max(peaks) / 2**20), source, target


def _started(load: Load, file: Path) -> subprocess.Popen[bytes]:
    places = ["-i", file.with_suffix(".in"), "-o", file.with_suffix(".out"), "--stats", file.with_suffix(".json")]
    return subprocess.Popen([mtcli_command(), "translate", "--quiet", *load.options, *map(str, places), "--force"])


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process: bytes that were resident at most."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"`mtcli translate` ended with exit code {process.returncode}.")
    return used.ru_maxrss * RSS_UNIT


def measure(name: str, axis: Axis, save: Callable[[Growth], None]) -> None:
    """Measure all rounds of an axis; what there is so far is saved after each."""
    points: dict[int, GrowthPoint] = {}
    for number in range(axis.rounds):
        for load in axis.loads if number % 2 == 0 else reversed(axis.loads):
            with tempfile.TemporaryDirectory() as folder:
                run, source, target = run_at(load, text_of(load), Path(folder))
            runs = [*(points[load.at].runs if load.at in points else []), run]
            sizes = {"at": load.at, "lines": load.lines, "source_tokens": source, "target_tokens": target}
            points[load.at] = GrowthPoint(**sizes, runs=runs)
            print(f"{name} {load.at:,}: {run.tokens_per_second:,.0f} target tokens/s", file=sys.stderr, flush=True)
        head = opening(axis.title, f"python -m benchmarks.growth {name}")
        save(Growth(**head, axis=axis.axis, fixed=axis.fixed, points=[points[place] for place in sorted(points)]))


def main() -> None:
    known = axes()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description="Measure how translating grows.")
    parser.add_argument("axis", choices=known)
    parser.add_argument("--out", type=Path, help="the JSON file to write; by default in benchmarks/results/cpu")
    arguments = parser.parse_args()
    out = arguments.out or RESULTS / "cpu" / f"growth-{arguments.axis}.json"
    measure(arguments.axis, known[arguments.axis], lambda result: save(result, out))


if __name__ == "__main__":
    main()
