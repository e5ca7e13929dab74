"""Blocks of Markdown: the files in `templates`, filled with what results files say."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.contest.records import Shown
from benchmarks.report.rows import best, best_against_best, in_order
from mtcli.bench.display.report import report
from mtcli.bench.display.tables import as_text
from mtcli.bench.record.schema import BenchRecord

COMMAND_WIDTH = 100
SHORTER = {"Hugging Face Marian": "Hugging Face"}


def filled(template: str, **content: Any) -> str:
    """Return a template's text with this content; what it names and is not there is an error."""
    text = _templates().get_template(f"{template}.md.j2").render(content)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _templates() -> Environment:
    found = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "figure": figure,
        "wrapped": wrapped,
        "transcript": lambda shown: "\n".join(transcript(shown)),
        "in_order": in_order,
        "as_printed": as_printed,
        "shorter": lambda name: SHORTER.get(name, name),
    }
    found.globals |= {"best": best, "best_against_best": best_against_best}
    return found


def figure(value: float | None, form: str) -> str:
    """Return a figure in this form; nothing where there is none."""
    return "" if value is None else format(value, form)


def wrapped(command: str) -> str:
    """Break a long command before its options."""
    lines: list[str] = []
    for part in re.split(r" (?=-)", command):
        if lines and len(lines[-1]) + len(part) < COMMAND_WIDTH:
            lines[-1] += " " + part
        else:
            lines.append(part)
    return " \\\n    ".join(lines)


def transcript(shown: Sequence[Shown], wrap: Callable[[str], str] = wrapped) -> list[str]:
    """Return commands and what they printed, as lines of a terminal."""
    return [
        line
        for one in shown
        for line in (f"$ {wrap(one.command)}", *("..." if line is None else line for line in one.lines))
    ]


def as_printed(record: BenchRecord) -> str:
    """Return a record as `mtcli bench` prints it."""
    return as_text(report(record))
