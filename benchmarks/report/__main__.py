"""Write benchmarks/README.md, its plots, and the measured parts of the other pages, from benchmarks/results.

    python -m benchmarks.report            write everything
    python -m benchmarks.report --check    change nothing; exit 1 naming what is out of date

The report is made of results files alone: what has none is shown as not yet measured. benchmarks/report/pages.py knows the
blocks and the other pages. Plots need matplotlib (the extra `viz`).
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report.gpu import BLOCKS as GPU_BLOCKS
from benchmarks.report.pages import BLOCKS, ROOT, Pages, render_block, update_pages
from benchmarks.report.plots import PLOTS, source_mark

RESULTS = ROOT / "benchmarks" / "results"
REPORT = ROOT / "benchmarks" / "README.md"
NOT_MEASURED = "not yet measured"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What somebody wants to know.

    Attributes:
        asks: the question.
        command: what measures it.
        blocks: names of the blocks that answer it, see `readme.BLOCKS` and `gpu.tables.BLOCKS`.
        note: what a reader should know first, in Markdown.
    """

    asks: str
    command: str
    blocks: tuple[str, ...]
    note: str = ""


QUESTIONS = (
    Question(
        asks="How good are the models that it trains?",
        command="make quality TASK=NAME DATA=DIR",
        blocks=("tatoeba-en-de", "multi30k", "multi30k-raw", "ko-en"),
        note="What each recipe is for: [docs/quality.md](../docs/quality.md).",
    ),
    Question(
        asks="How near is it to this processor's limit?",
        command="mtcli bench --device cpu",
        blocks=("bench",),
        note="How it is measured and how to read it: [docs/bench.md](../docs/bench.md).",
    ),
    Question(
        asks="How fast does it translate, beside other decoders with the same weights?",
        command="make bench-decoding QUESTION=NAME",
        blocks=("decoding-trained", "decoding-base", "decoding-imported", "decoding-latency"),
        note="How it is measured: [decoding](questions/decoding/README.md); every setting: "
        "[docs/decoding.md](../docs/decoding.md).",
    ),
    Question(
        asks="How fast does it train, beside other trainers with the same batches?",
        command="make bench-training QUESTION=NAME DATA=DIR",
        blocks=("training-tiny", "training-base"),
        note="How it is measured: [training](questions/training/README.md).",
    ),
    Question(
        asks="How long does it take to answer?",
        command="python -m benchmarks.startup --out benchmarks/results/cpu/startup.json",
        blocks=("startup",),
    ),
    Question(
        asks="How does it grow?",
        command="python -m benchmarks.growth AXIS",
        blocks=("growth-lines", "growth-length", "growth-beam", "growth-batch", "growth-processes", "corpus"),
    ),
    Question(
        asks="Where does the time go?",
        command="make bench-decoding QUESTION=profile; make bench-training QUESTION=profile",
        blocks=("decoding-profile", "training-profile"),
    ),
    Question(
        asks="What does it do on a GPU?",
        command="make gpu",
        blocks=tuple(GPU_BLOCKS),
        note="How it is measured: [gpu](gpu/README.md).",
    ),
)
INTRODUCTION = (
    "# Benchmarks",
    "",
    "Made by `python -m benchmarks.report` from the files in [results](results); nothing here is typed by hand. Every "
    "number has its machine, versions, date and command with it; what has not been measured is said to be so. Shared "
    "machines are noisy: compare within a table, whose rows were taken in turns, rather than between tables.",
    "",
    "`make bench DATA=DIR` measures what a processor can answer but for quality (`make quality`: hours of training) "
    "and the README's first minute, one question after the other; each command below measures its own.",
)


def report(results: Path) -> str:
    """The whole page."""
    lines = [*INTRODUCTION, "", "| question | measured by | last measured |", "|---|---|---|"]
    lines += [
        f"| [{question.asks}](#{anchor(question.asks)}) | `{question.command}` | {last_measured(question, results)} |"
        for question in QUESTIONS
    ]
    for question in QUESTIONS:
        lines += ["", f"## {question.asks}", *([question.note] if question.note else [])]
        for name in question.blocks:
            lines += ["", render_block(name, results), *plot_lines(name, results)]
    return "\n".join(lines) + "\n"


def anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    kept = (letter for letter in heading.lower() if letter.isalnum() or letter in " -")
    return "".join(kept).replace(" ", "-")


def last_measured(question: Question, results: Path) -> str:
    """The newest date of a question's results, and how many of its parts have none."""
    found = [files_of(name, results) for name in question.blocks]
    missing = sum(not files for files in found)
    dates = [json.loads(file.read_text(encoding="utf-8"))["date"] for files in found for file in files]
    if not dates:
        return NOT_MEASURED
    newest: str = max(dates)
    return newest + (f"; {missing} of {len(found)} parts {NOT_MEASURED}" if missing else "")


def files_of(name: str, results: Path) -> list[Path]:
    """The results files of a block."""
    if name in GPU_BLOCKS or name == "bench":
        return sorted(results.glob(f"*/{name}.json"))
    path = results / BLOCKS[name].file
    return [path] if path.exists() else []


def plot_lines(name: str, results: Path) -> list[str]:
    """The Markdown that shows a block's plot, if it has one."""
    if name not in PLOTS or not files_of(name, results):
        return []
    found = []
    for file in files_of(name, results):
        record = json.loads(file.read_text(encoding="utf-8"))
        found += ["", f"![{record.get('title', 'Kernels and phases on the roofline')}](plots/{plot_name(name, file)})"]
    return found


def plot_name(name: str, file: Path) -> str:
    """A plot's file name: of several machines, each has its own."""
    machine = file.parent.name
    return f"{name}.svg" if machine == "cpu" else f"{name}-{machine}.svg"


def stale_plots(results: Path, plots: Path) -> dict[Path, tuple[str, Path]]:
    """Plots that are missing or of another results file than the one that is there: each one's name and that file."""
    found = {}
    for name in PLOTS:
        for file in files_of(name, results):
            plot = plots / plot_name(name, file)
            mark = source_mark(file.read_text(encoding="utf-8"))
            if not plot.exists() or mark not in plot.read_text(encoding="utf-8"):
                found[plot] = (name, file)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Write benchmarks/README.md and all measured parts of the pages.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if something is out of date")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", type=Path, default=REPORT, help="the page to write; plots/ lies beside it")
    arguments = parser.parse_args()

    plots = arguments.report.parent / "plots"
    page, old = report(arguments.results), ""
    if arguments.report.exists():
        old = arguments.report.read_text(encoding="utf-8")
    stale_pictures = stale_plots(arguments.results, plots)
    stale = [str(plot) for plot in stale_pictures]
    if page != old:
        stale.append(str(arguments.report))
    if arguments.check:
        if stale:
            sys.exit(f"Out of date: {', '.join(stale)}. Run: python -m benchmarks.report")
        update_pages(Pages(), arguments.results, check=True)
        return
    for plot, (name, file) in stale_pictures.items():
        PLOTS[name](file.read_text(encoding="utf-8"), plot)
    arguments.report.write_text(page, encoding="utf-8")
    print("\n".join(f"wrote {name}" for name in stale) or "The report was up to date.")
    update_pages(Pages(), arguments.results, check=False)


if __name__ == "__main__":
    main()
