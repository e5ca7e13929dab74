"""The measured parts of the pages: what stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->`.

Blocks are found where they stand, in README.md, benchmarks/README.md and all pages under docs; they may move without a
change here. A results file that does not exist yet makes its block say so; those of several machines follow each other.
"""

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from benchmarks.contest.records import FirstMinute
from benchmarks.report import plots, tables
from benchmarks.report.blocks import circumstances, table, wrapped
from benchmarks.report.results import results_block
from mtcli.errors import DataError

PLOTS = Path("docs/assets/plots")  # of a checkout
PICTURE = Path("docs/assets/first-minute.svg")
BEGIN = re.compile(r"^<!-- begin: ([\w-]+) -->$", flags=re.MULTILINE)  # on lines of their own
END = re.compile(r"^<!-- end: [\w-]+ -->$", flags=re.MULTILINE)


class ReportError(Exception):
    """A page or a results file is not as it should be; the message is a sentence."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """What stands between a pair of markers.

    Attributes:
        files: the results files that it is made of, as a pattern.
        render: Markdown of one file's text, or of all their texts where `together`.
        plot: draws one file's text.
    """

    files: str
    render: Callable[..., str]
    plot: Callable[[str, Path], None] | None = None
    together: bool = False


def _bench(text: str) -> str:
    """A `bench.json` as the command prints it."""
    import tempfile

    from mtcli.bench.display.report import report
    from mtcli.bench.display.tables import as_text
    from mtcli.bench.record.stored import read_record

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.json"
        path.write_text(text, encoding="utf-8")
        record = read_record(path)
    return f"```console\n$ {wrapped(record.command)}\n{as_text(report(record))}```"


def _minute(text: str) -> str:
    result = FirstMinute.model_validate_json(text)
    seconds = sum(shown.seconds for shown in result.minute)
    return (
        "![A terminal in which mtcli is installed, translates a line and a file, and scores it]({picture})\n\n"
        f"Together {seconds:.0f} seconds. {circumstances(result)}"
    )


_OF_DECODING = {
    f"decoding-{name}": Block(files=f"*/decoding-{name}.json", render=tables.decoding_block, plot=plots.decoding_plot)
    for name in ("base", "imported", "trained")
}
_OF_SETTINGS = {
    f"decoding-{name}-settings": Block(
        files=f"*/decoding-{name}.json", render=partial(tables.decoding_block, every_setting=True)
    )
    for name in ("base", "trained")
}
_OF_TRAINING = {
    f"training-{name}": Block(files=f"*/training-{name}.json", render=tables.training_block, plot=plots.training_plot)
    for name in ("tiny", "base")
}
_OF_GROWTH = {
    f"growth-{axis}": Block(files=f"*/growth-{axis}.json", render=tables.growth_block, plot=plots.growth_plot)
    for axis in ("lines", "length", "beam", "batch", "processes")
}
_OF_QUALITY = {
    name: Block(files=f"*/quality-{name}.json", render=tables.quality_block)
    for name in ("tatoeba-en-de", "multi30k", "multi30k-raw", "ko-en")
}
BLOCKS: dict[str, Block] = {
    "install": Block(files="cpu/first-minute.json", render=tables.install_block),
    "first-minute": Block(files="cpu/first-minute.json", render=_minute),
    "tutorial": Block(files="cpu/first-minute.json", render=tables.tutorial_block),
    "recipes": Block(files="*/quality-*.json", render=tables.recipes_block, together=True),
    **_OF_QUALITY,
    "bench": Block(files="*/bench*.json", render=_bench, plot=plots.bench_plot),
    "startup": Block(files="*/startup.json", render=tables.startup_block),
    **_OF_DECODING,
    "decoding-latency": Block(files="*/decoding-latency.json", render=tables.decoding_block),
    **_OF_SETTINGS,
    "decoding-profile": Block(files="*/decoding-profile.json", render=tables.profile_block),
    **_OF_TRAINING,
    "training-profile": Block(files="*/training-profile.json", render=tables.profile_block),
    **_OF_GROWTH,
    "corpus": Block(files="*/corpus.json", render=tables.corpus_block),
}
QUESTIONS = {
    "How good are the models that it trains?": ("make quality TASK=NAME DATA=DIR", "quality-*"),
    "How near is it to the machine's limit?": ("mtcli bench", "bench"),
    "How fast does it translate, beside other decoders?": ("make bench-decoding QUESTION=NAME", "decoding-*"),
    "How fast does it train, beside other trainers?": ("make bench-training QUESTION=NAME DATA=DIR", "training-*"),
    "How long does it take to answer?": ("python -m benchmarks.startup", "startup"),
    "How does it grow?": ("python -m benchmarks.growth AXIS", "growth-*"),
    "What does a large corpus cost?": ("python -m benchmarks.corpus", "corpus"),
    "What does a newcomer see?": ("python -m benchmarks.first_minute", "first-minute"),
}
ELSEWHERE = ("results", "questions")  # blocks that are made of many files


def files_of(pattern: str, results: Path) -> list[Path]:
    """Return the results files of a pattern, the processors' first; a rehearsal's are none."""
    found = sorted(results.glob(pattern), key=lambda path: (path.parent.name != "cpu", str(path)))
    return [path for path in found if not json.loads(path.read_text(encoding="utf-8")).get("rehearsal")]


def render(name: str, results: Path, root: Path, page: Path) -> str:
    """Return the text that belongs between a block's markers on this page of the checkout `root`.

    Raises:
        ReportError: there is no such block, or a results file is not as it should be.
    """
    if name not in BLOCKS and name not in ELSEWHERE:
        known = ", ".join(sorted([*BLOCKS, *ELSEWHERE]))
        raise ReportError(f"{page} has a block {name}, which there is not; there are {known}.")
    try:
        if name == "results":
            return results_block(results)
        if name == "questions":
            return questions_block(results)
        return _of_files(BLOCKS[name], name, results, root, page)
    except (ValidationError, DataError) as error:
        raise ReportError(f"A results file of {name} is not as benchmarks/contest/records.py has it: {error}") from None


def _of_files(block: Block, name: str, results: Path, root: Path, page: Path) -> str:
    files = files_of(block.files, results)
    if not files:
        return f"**{name.replace('-', ' ').capitalize()}**: not measured yet."
    texts = [path.read_text(encoding="utf-8") for path in files]
    if block.together:
        return block.render(texts)
    shown = []
    for path, text in zip(files, texts, strict=True):
        content = block.render(text).replace("{picture}", _link(root / PICTURE, page))
        if block.plot is not None:
            title = json.loads(text).get("title", "Kernels and phases on the roofline")
            content += f"\n\n![{title}]({_link(plot_path(path, root), page)})"
        shown.append(content)
    return "\n\n".join(shown)


def _link(target: Path, page: Path) -> str:
    return Path(os.path.relpath(target, page.parent)).as_posix()


def plot_path(file: Path, root: Path) -> Path:
    """Return where a results file's plot lies: of several machines, each has its own."""
    machine = "" if file.parent.name == "cpu" else f"-{file.parent.name}"
    return root / PLOTS / f"{file.stem}{machine}.svg"


def questions_block(results: Path) -> str:
    """Return what can be asked, how, and when it was measured last."""
    rows = []
    for question, (command, pattern) in QUESTIONS.items():
        dates = [
            json.loads(path.read_text(encoding="utf-8"))["date"] for path in files_of(f"*/{pattern}.json", results)
        ]
        rows.append([question, f"`{command}`", max(dates)[:10] if dates else "not measured yet"])
    return "\n".join(table(("question", "measured by", "last measured"), rows, words=3))


def pages_of(root: Path) -> list[Path]:
    """Return the pages of a checkout that may hold blocks."""
    return [
        path
        for path in (root / "README.md", root / "benchmarks" / "README.md", *sorted((root / "docs").rglob("*.md")))
        if path.exists()
    ]


def filled(page: Path, results: Path, root: Path) -> tuple[str, list[str]]:
    """Return a page's text with its blocks up to date, and the names of those that were not.

    Raises:
        ReportError: a marker lacks its partner or stands twice, or a block cannot be made.
    """
    text = page.read_text(encoding="utf-8")
    stale = []
    for name in dict.fromkeys(BEGIN.findall(text)):
        updated = _replaced(page, text, name, render(name, results, root, page))
        if updated != text:
            stale.append(name)
        text = updated
    if len(END.findall(text)) != len(BEGIN.findall(text)):
        raise ReportError(f"{page} has an end of a block that does not begin; put the markers back.")
    return text, stale


def _replaced(page: Path, text: str, name: str, content: str) -> str:
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ReportError(f"{page} must hold {begin} once and after it {end} once; put the markers back.")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}\n{content}\n{end}{tail}"


def shown_nowhere(root: Path, results: Path) -> Sequence[str]:
    """Return the results files that no page shows."""
    shown = {name for page in pages_of(root) for name in BEGIN.findall(page.read_text(encoding="utf-8"))}
    read = {path for name in shown & BLOCKS.keys() for path in files_of(BLOCKS[name].files, results)}
    return [str(path.relative_to(results)) for path in files_of("*/*.json", results) if path not in read]
