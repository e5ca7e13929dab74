"""The measured parts of the pages: what stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->`.

Blocks are found where they stand, in README.md, benchmarks/README.md and all pages under docs; they may move without a
change here. A results file that does not exist yet makes its block say so; those of several machines follow each other.
"""

import json
import os
import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from benchmarks.contest import records
from benchmarks.questions import serve_results
from benchmarks.report import plots
from benchmarks.report.markdown import filled
from benchmarks.report.results import first_table
from mtcli.bench.record.stored import read_record
from mtcli.errors import DataError

PLOTS = Path("docs/assets/plots")  # of a checkout
BEGIN = re.compile(r"^<!-- begin: ([\w-]+) -->$", flags=re.MULTILINE)  # on lines of their own
END = re.compile(r"^<!-- end: [\w-]+ -->$", flags=re.MULTILINE)


class ReportError(Exception):
    """A page or a results file is not as it should be; the message is a sentence."""


class Block(records.Record):
    """What stands between a pair of markers.

    Attributes:
        files: the results files that it is made of, as a pattern.
        record: what they hold: of `benchmarks.contest.records`, or of the server's own; BenchRecord is mtcli's.
        template: of `templates`, which gets each file's `result`, or all `results` where they stand `together`.
        plot: of `plots`, what draws a record into an SVG file; none if empty.
        every_setting: whether a template shows not only the best.
    """

    files: str
    record: str
    template: str
    plot: str = ""
    together: bool = False
    every_setting: bool = False

    def read(self, file: Path) -> Any:
        """Read a results file.

        Raises:
            ValidationError, DataError: it is not what its record describes.
        """
        if self.record == "BenchRecord":
            return read_record(file)
        module = records if hasattr(records, self.record) else serve_results
        return getattr(module, self.record).model_validate_json(file.read_text(encoding="utf-8"))

    def draw(self, file: Path, picture: Path) -> None:
        """Draw a results file's plot."""
        getattr(plots, self.plot)(self.read(file), picture)


BLOCKS = {
    name: Block.model_validate({"template": name, **fields})
    for name, fields in tomllib.loads(Path(__file__).with_name("blocks.toml").read_text(encoding="utf-8")).items()
}
QUESTIONS = {
    "How good are the models that it trains?": ("make quality TASK=NAME DATA=DIR", "quality-*"),
    "How near is it to the machine's limit?": ("mtcli bench", "bench"),
    "How fast does it translate, beside other decoders?": ("make bench-decoding QUESTION=NAME", "decoding-*"),
    "How fast does it train, beside other trainers?": ("make bench-training QUESTION=NAME DATA=DIR", "training-*"),
    "How long does it take to answer?": ("python -m benchmarks.startup", "startup"),
    "How does it grow?": ("python -m benchmarks.growth AXIS", "growth-*"),
    "What do the checks of translations find?": ("python -m benchmarks.checks --data DIR", "checks"),
    "What do repairs of translations do?": ("python -m benchmarks.repair --data DIR", "repair"),
    "What does a large corpus cost?": ("python -m benchmarks.corpus", "corpus"),
    "How does the server do under load?": ("python -m benchmarks.serve QUESTION --lines FILE", "serve-[!l]*"),
    "What does a newcomer see?": ("python -m benchmarks.first_minute", "first-minute"),
}


def questions(results: Path) -> dict[str, Any]:
    """Return what can be asked, how, and when it was measured last."""
    rows = []
    for question, (command, pattern) in QUESTIONS.items():
        files = files_of(f"*/{pattern}.json", results)
        dates = [json.loads(path.read_text(encoding="utf-8"))["date"][:10] for path in files]
        rows.append((question, command, max(dates, default=None)))
    return {"questions": rows}


# Blocks that are made of many files: what their templates get, by name; nothing where nothing was measured.
ELSEWHERE: dict[str, Callable[[Path], dict[str, Any]]] = {"results": first_table, "questions": questions}


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
        if name in ELSEWHERE:
            content = ELSEWHERE[name](results)
            text = filled(name, **content) if content else ""
        else:
            text = _of_files(BLOCKS[name], results, root, page)
    except (ValidationError, DataError) as error:
        raise ReportError(f"A results file of {name} is not as benchmarks/contest/records.py has it: {error}") from None
    return text or f"**{name.replace('-', ' ').capitalize()}**: not measured yet."


def _of_files(block: Block, results: Path, root: Path, page: Path) -> str:
    files = files_of(f"*/{block.files}.json", results)
    if block.together:
        return filled(block.template, results=[block.read(path) for path in files]) if files else ""
    pictures = [plot_path(path, root) if block.plot else None for path in files]
    links = [path and Path(os.path.relpath(path, page.parent)).as_posix() for path in pictures]
    return "\n\n".join(
        filled(block.template, result=block.read(path), picture=link, every_setting=block.every_setting)
        for path, link in zip(files, links, strict=True)
    )


def plot_path(file: Path, root: Path) -> Path:
    """Return where a results file's plot lies: of several machines, each has its own."""
    machine = "" if file.parent.name == "cpu" else f"-{file.parent.name}"
    return root / PLOTS / f"{file.stem}{machine}.svg"


def pages_of(root: Path) -> list[Path]:
    """Return the pages of a checkout that may hold blocks."""
    pages = (root / "README.md", root / "benchmarks" / "README.md", *sorted((root / "docs").rglob("*.md")))
    return [path for path in pages if path.exists()]


def updated(page: Path, results: Path, root: Path) -> tuple[str, list[str]]:
    """Return a page's text with its blocks up to date, and the names of those that were not.

    Raises:
        ReportError: a marker lacks its partner or stands twice, or a block cannot be made.
    """
    text = page.read_text(encoding="utf-8")
    stale = []
    for name in dict.fromkeys(BEGIN.findall(text)):
        new = _replaced(page, text, name, render(name, results, root, page))
        if new != text:
            stale.append(name)
        text = new
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
    read = {path for name in shown & BLOCKS.keys() for path in files_of(f"*/{BLOCKS[name].files}.json", results)}
    return [str(path.relative_to(results)) for path in files_of("*/*.json", results) if path not in read]
