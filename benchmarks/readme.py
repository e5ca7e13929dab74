"""Write the measured parts of README.md from the JSON files under benchmarks/results.

    python benchmarks/readme.py            rewrite what stands between the markers
    python benchmarks/readme.py --check    change nothing; exit 1 naming the blocks that are out of date

A block stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->`. A results file that does not
exist yet makes its block say so.

A quality result, written by benchmarks/quality.py (times in minutes and seconds, scores in percent):

    {"title", "command": [shell lines], "device": {"cpu", "cores", "memory_gib"},
     "versions": {name: version}, "date",
     "train": {"minutes", "steps", "target_tokens", "target_tokens_per_second", "parameters"},
     "scores": [{"set", "direction", "beam", "lines", "bleu", "chrf", "ter", "seconds",
                 "signatures": {"bleu", "chrf", "ter"}}]}

A start-up result, written by benchmarks/startup.py:

    {"title", "command", "device", "versions", "date",
     "help": {"runs", "median", "min", "max"}, "translate": the same, "parameters"}

The GPU's results are written by `make gpu` and turned into tables by benchmarks/gpu/tables.py.
"""

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gpu.tables import gpu_blocks
from pydantic import BaseModel, ConfigDict, ValidationError

ROOT = Path(__file__).resolve().parent.parent
COMMAND_WIDTH = 100


class Record(BaseModel):
    """A part of a results file: exactly these keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Device(Record):
    """The machine; `cores` are those the process was allowed to use."""

    cpu: str
    cores: int
    memory_gib: float


class Result(Record):
    """What every results file says."""

    title: str
    command: list[str]
    device: Device
    versions: dict[str, str]
    date: str


class Train(Record):
    """A training run in numbers, data preparation excluded."""

    minutes: float
    steps: int
    target_tokens: int
    target_tokens_per_second: float
    parameters: int


class Score(Record):
    """One test set translated and scored; `seconds` is the translation's time."""

    set: str
    direction: str
    beam: int
    lines: int
    bleu: float
    chrf: float
    ter: float
    seconds: float
    signatures: dict[str, str]


class Quality(Result):
    """A model trained and scored by benchmarks/quality.py."""

    train: Train
    scores: list[Score]


class Timing(Record):
    """Wall time of a command in seconds."""

    runs: int
    median: float
    min: float
    max: float


class Startup(Result):
    """How fast the command line answers, by benchmarks/startup.py."""

    help: Timing
    translate: Timing
    parameters: int


def quality_block(text: str) -> str:
    """The README block of a quality result given as JSON."""
    result = Quality.model_validate_json(text)
    train = result.train
    rows = [
        f"| {score.set} | {score.direction} | {score.lines:,} | {score.beam} "
        f"| {score.bleu:.1f} | {score.chrf:.1f} | {score.ter:.1f} | {score.seconds:.1f} |"
        for score in result.scores
    ]
    signatures = dict.fromkeys(
        (metric, signature) for score in result.scores for metric, signature in score.signatures.items()
    )
    names = {"bleu": "BLEU", "chrf": "chrF", "ter": "TER"}
    return "\n".join(
        [
            f"**{result.title}**",
            "",
            "| test set | direction | lines | beam | BLEU | chrF | TER | translated in (s) |",
            "|---|---|--:|--:|--:|--:|--:|--:|",
            *rows,
            "",
            *(f"- {names.get(metric, metric)}: `{signature}`" for metric, signature in signatures),
            "",
            f"Trained for {train.minutes:.1f} minutes: {train.steps:,} steps, "
            f"{train.target_tokens / 1e6:.1f} million target tokens "
            f"at {train.target_tokens_per_second:,.0f} a second, "
            f"{train.parameters / 1e6:.2f} million parameters. {_circumstances(result)}",
            "",
            *_console(result.command),
        ]
    )


def startup_block(text: str) -> str:
    """The README block of the start-up result given as JSON."""
    result = Startup.model_validate_json(text)
    return "\n".join(
        [
            f"**{result.title}**",
            "",
            "| command | median (s) | range (s) | runs |",
            "|---|--:|--:|--:|",
            f"| `mtcli --help` (torch is not imported) | {_timing_cells(result.help)} |",
            f"| one line through `mtcli translate` | {_timing_cells(result.translate)} |",
            "",
            f"Each run is a new process, with its files already in the disk cache; the model has "
            f"{result.parameters / 1e6:.2f} million parameters. {_circumstances(result)}",
            "",
            *_console(result.command),
        ]
    )


def _timing_cells(timing: Timing) -> str:
    return f"{timing.median:.2f} | {timing.min:.2f} to {timing.max:.2f} | {timing.runs}"


def _circumstances(result: Result) -> str:
    device = result.device
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    cores = "core" if device.cores == 1 else "cores"
    return f"{device.cpu}, {device.cores} {cores}, {device.memory_gib:.0f} GiB; {versions}; {result.date}."


def _console(commands: list[str]) -> list[str]:
    return ["```console", *("$ " + _wrap(command) for command in commands), "```"]


def _wrap(command: str) -> str:
    """Break a long command before its options."""
    lines: list[str] = []
    for part in re.split(r" (?=-)", command):
        if lines and len(lines[-1]) + len(part) < COMMAND_WIDTH:
            lines[-1] += " " + part
        else:
            lines.append(part)
    return " \\\n    ".join(lines)


@dataclass(frozen=True)
class Block:
    """What stands between a pair of markers: which file it comes from, and its subject until that exists."""

    file: str
    subject: str
    render: Callable[[str], str]


BLOCKS = {
    "multi30k": Block("cpu/multi30k-en-de-tiny.json", "Multi30k, English to German", quality_block),
    "ko-en": Block("cpu/ko-en-everyday.json", "Everyday Korean to English", quality_block),
    "startup": Block("cpu/startup.json", "Start-up", startup_block),
}
GPU_BLOCKS = ("ceilings", "correct", "kernels")


def render_block(name: str, results: Path) -> str:
    """The text that belongs between the block's markers.

    Exits when the results file is not what the module's docstring describes.
    """
    if name in GPU_BLOCKS:
        return gpu_blocks(name, results)
    block = BLOCKS[name]
    path = results / block.file
    if not path.exists():
        return f"**{block.subject}**: not measured yet."
    try:
        return block.render(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        sys.exit(f"{path} is not a results file as benchmarks/readme.py describes it: {error}")


def replace_block(readme: str, name: str, content: str) -> str:
    """Put `content` between the block's markers.

    Exits when the README does not hold each marker exactly once, begin before end.
    """
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    if readme.count(begin) != 1 or readme.count(end) != 1 or readme.index(begin) > readme.index(end):
        sys.exit(f"The README must hold {begin} once and after it {end} once; put the markers back.")
    head, _, rest = readme.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}\n{content}\n{end}{tail}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write README.md's measured parts from benchmarks/results.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a block is out of date")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    arguments = parser.parse_args()

    text = before = arguments.readme.read_text(encoding="utf-8")
    stale = []
    for name in (*BLOCKS, *GPU_BLOCKS):
        updated = replace_block(text, name, render_block(name, arguments.results))
        if updated != text:
            stale.append(name)
        text = updated
    if arguments.check and stale:
        sys.exit(f"{arguments.readme}: out of date: {', '.join(stale)}. Run: python benchmarks/readme.py")
    if text != before:
        arguments.readme.write_text(text, encoding="utf-8")
        print(f"{arguments.readme}: wrote {', '.join(stale)}")


if __name__ == "__main__":
    main()
