"""Write the measured parts of README.md and of pages in docs from benchmarks/results.

    python -m benchmarks.report            rewrite what stands between the markers
    python -m benchmarks.report --check    change nothing; exit 1 naming the blocks that are out of date

A block stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->`. A results file that does not
exist yet makes its block say so.

A quality result is written by benchmarks/quality.py and described by benchmarks/quality_table.py.

A start-up result, written by benchmarks/startup.py:

    {"title", "command", "device", "versions", "date",
     "help": {"runs", "median", "min", "max"}, "translate": the same, "parameters"}

The results of `make bench-decoding` are described by benchmarks/decoding/records.py and turned into tables by
benchmarks/decoding/tables.py, those of `make bench-training` likewise in benchmarks/training. The GPU's results are
written by `make gpu` and turned into tables by benchmarks/gpu/tables.py. A `bench.json` is what `mtcli bench -o`
wrote; benchmarks/bench_block.py shows it as the command does.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from benchmarks.contest.records import Record, Result
from benchmarks.questions.corpus import corpus_block
from benchmarks.questions.first_minute import first_minute_block, install_block
from benchmarks.report import decoding as tables
from benchmarks.report import gpu as gpu_tables
from benchmarks.report import training as training_tables
from benchmarks.report.bench import bench_block
from benchmarks.report.blocks import circumstances, console
from benchmarks.report.growth import growth_block
from benchmarks.report.quality import quality_block, summary_block
from mtcli.errors import DataError

ROOT = Path(__file__).resolve().parents[2]


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
            f"{result.parameters / 1e6:.2f} million parameters. {circumstances(result)}",
            "",
            *console(result.command),
        ]
    )


def _timing_cells(timing: Timing) -> str:
    return f"{timing.median:.2f} | {timing.min:.2f} to {timing.max:.2f} | {timing.runs}"


@dataclass(frozen=True)
class Block:
    """What stands between a pair of markers: which file it comes from, and its subject until that exists."""

    file: str
    subject: str
    render: Callable[[str], str]


GROWTH_SUBJECTS = {
    "lines": "Memory and time over a million lines",
    "length": "Longer lines",
    "beam": "Wider beams",
    "batch": "More sentences at once",
    "processes": "Several processes on one machine",
}
_BASE, _TRAINED = "cpu/decoding-base.json", "cpu/decoding-trained.json"
BLOCKS = {
    "install": Block("cpu/first-minute.json", "Installing", install_block),
    "first-minute": Block("cpu/first-minute.json", "The first minute", first_minute_block),
    "tatoeba-en-de": Block("cpu/quality-tatoeba-en-de.json", "The model in the box", quality_block),
    "multi30k": Block("cpu/quality-multi30k.json", "Multi30k as published, English to German", quality_block),
    "multi30k-raw": Block("cpu/quality-multi30k-raw.json", "Multi30k, English to German", quality_block),
    "ko-en": Block("cpu/quality-ko-en.json", "Everyday Korean to English", quality_block),
    "startup": Block("cpu/startup.json", "Start-up", startup_block),
    "decoding-base": Block(_BASE, "Transformer-base beside other decoders", tables.base_block),
    "decoding-imported": Block("cpu/decoding-imported.json", "An imported model", tables.base_block),
    "decoding-trained": Block(_TRAINED, "A trained model beside other decoders", tables.trained_block),
    "decoding-latency": Block("cpu/decoding-latency.json", "One sentence at a time", tables.latency_block),
    "decoding-base-settings": Block(_BASE, "Every setting on Transformer-base", tables.base_settings_block),
    "decoding-trained-settings": Block(_TRAINED, "Every setting on a trained model", tables.trained_settings_block),
    "decoding-profile": Block("cpu/decoding-profile.json", "Where the time goes", tables.profile_block),
    **{
        f"growth-{axis}": Block(f"cpu/growth-{axis}.json", subject, growth_block)
        for axis, subject in GROWTH_SUBJECTS.items()
    },
    "corpus": Block("cpu/corpus.json", "A corpus larger than memory", corpus_block),
    "training-tiny": Block(
        "cpu/training-tiny.json", "A small model's training beside JoeyNMT and PyTorch", training_tables.trained_block
    ),
    "training-base": Block(
        "cpu/training-base.json",
        "Transformer-base's training beside PyTorch and Hugging Face Marian",
        training_tables.trained_block,
    ),
    "training-profile": Block(
        "cpu/training-profile.json", "Where the time of training goes", training_tables.profile_block
    ),
}
GPU_BLOCKS = ("ceilings", "correct", "kernels", "translate")
IN_DECODING_PAGE = ("decoding-base-settings", "decoding-trained-settings", "decoding-profile")
IN_TRAINING_PAGE = ("corpus", "training-tiny", "training-base", "training-profile", "train")
IN_BENCH_PAGE = ("bench",)
IN_INTEROP_PAGE = ("decoding-imported",)
IN_QUALITY_PAGE = ("tatoeba-en-de", "multi30k", "multi30k-raw", "ko-en")
IN_README = (
    "install",
    "first-minute",
    "recipes",
    "startup",
    "decoding-trained",
    "decoding-base",
    "decoding-latency",
    *GPU_BLOCKS,
)


def render_block(name: str, results: Path) -> str:
    """The text that belongs between the block's markers.

    Exits when the results file is not what the module's docstring describes.
    """
    if name in gpu_tables.BLOCKS:
        return gpu_tables.gpu_blocks(name, results)
    if name == "recipes":
        return _quality_summary(results)
    if name == "bench":
        return _bench(results)
    block = BLOCKS[name]
    path = results / block.file
    if not path.exists():
        return f"**{block.subject}**: not measured yet."
    try:
        return block.render(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        sys.exit(f"{path} is not a results file as benchmarks/report/pages.py describes it: {error}")


def _bench(results: Path) -> str:
    try:
        return bench_block(results)
    except DataError as error:
        sys.exit(str(error))


def _quality_summary(results: Path) -> str:
    measured = [results / BLOCKS[name].file for name in IN_QUALITY_PAGE]
    try:
        return summary_block([path.read_text(encoding="utf-8") for path in measured if path.exists()])
    except ValidationError as error:
        sys.exit(f"{results} holds a results file that is not as benchmarks/quality_table.py describes it: {error}")


def replace_block(page: Path, text: str, name: str, content: str) -> str:
    """Put `content` between the block's markers in the page's text.

    Exits when it does not hold each marker exactly once, begin before end.
    """
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        sys.exit(f"{page} must hold {begin} once and after it {end} once; put the markers back.")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}\n{content}\n{end}{tail}"


def update(page: Path, names: Sequence[str], results: Path, *, check: bool) -> list[str]:
    """Bring these blocks of a page up to date, or only find out which are not.

    Exits when there is no such page.
    """
    try:
        text = before = page.read_text(encoding="utf-8")
    except FileNotFoundError:
        sys.exit(f"{page} does not exist; it must hold the blocks {', '.join(names)}.")
    stale = []
    for name in names:
        updated = replace_block(page, text, name, render_block(name, results))
        if updated != text:
            stale.append(name)
        text = updated
    if text != before and not check:
        page.write_text(text, encoding="utf-8")
        print(f"{page}: wrote {', '.join(stale)}")
    return stale


def _has_blocks(page: Path) -> bool:
    return page.exists() and "<!-- begin: " in page.read_text(encoding="utf-8")


@dataclass(frozen=True)
class Pages:
    """The pages that hold blocks; those of `docs` but the decoding page may lack theirs."""

    readme: Path = ROOT / "README.md"
    decoding: Path = ROOT / "docs" / "decoding.md"

    def blocks(self) -> dict[Path, tuple[str, ...]]:
        """Each page's blocks."""
        beside = {
            "training.md": IN_TRAINING_PAGE,
            "quality.md": IN_QUALITY_PAGE,
            "bench.md": IN_BENCH_PAGE,
            "interop.md": IN_INTEROP_PAGE,
        }
        by_path = {self.decoding.with_name(name): names for name, names in beside.items()}
        found = {page: names for page, names in by_path.items() if _has_blocks(page)}
        return {self.readme: IN_README, self.decoding: IN_DECODING_PAGE, **found}


def update_pages(pages: Pages, results: Path, *, check: bool) -> None:
    """Bring the blocks of all pages up to date; with `check`, exit naming those that are not.

    Exits when a page or a marker is missing.
    """
    stale = {page: update(page, names, results, check=check) for page, names in pages.blocks().items()}
    if check and any(stale.values()):
        words = "; ".join(f"{page}: out of date: {', '.join(names)}" for page, names in stale.items() if names)
        sys.exit(f"{words}. Run: python -m benchmarks.report")


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the pages' measured parts from benchmarks/results.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a block is out of date")
    parser.add_argument("--readme", type=Path, default=Pages.readme)
    parser.add_argument("--decoding-page", type=Path, default=Pages.decoding, help="the other pages lie beside it")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    arguments = parser.parse_args()
    update_pages(Pages(arguments.readme, arguments.decoding_page), arguments.results, check=arguments.check)


if __name__ == "__main__":
    main()
