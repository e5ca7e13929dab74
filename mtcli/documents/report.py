"""What became of each segment, for a person to look through and for programs."""

import json
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from mtcli.documents.results import shown
from mtcli.formats.documents.model import Filled, Outcome, Segment

_MEANINGS = {
    Outcome.TRANSLATED: "translated",
    Outcome.REPAIRED: "translated in parts, to keep what is in them: worth a look",
    Outcome.COPIED: "nothing to translate",
    Outcome.KEPT: "the file says to leave it",
    Outcome.LEFT: "LEFT as it was: no translation kept all that must be kept",
}
_WIDTH = 100


def entry(file: str, segment: Segment, filled: Filled, pieces: list[str]) -> str:
    """A line of JSON on one segment.

    Args:
        file: that it is of.
        pieces: what of its text was protected.
    """
    content: dict[str, Any] = {"file": file, "id": segment.id, "source": shown(segment.content)}
    if filled.content is not None:
        content["translation"] = shown(filled.content)
    content["outcome"] = filled.outcome.value
    if pieces:
        content["protected"] = pieces
    if filled.notes:
        content["notes"] = list(filled.notes)
    return json.dumps(content, ensure_ascii=False) + "\n"


def write_report(entries: Path, output: BinaryIO, suffix: str) -> None:
    """Write a report from its lines: as JSON for `.json`, line by line for `.jsonl`, else as text."""
    with entries.open(encoding="utf-8") as lines:
        if suffix == ".jsonl":
            output.writelines(line.encode() for line in lines)
        elif suffix == ".json":
            output.writelines(piece.encode() for piece in _json(map(json.loads, lines)))
        else:
            output.writelines(f"{line}\n".encode() for line in _text([json.loads(line) for line in lines]))


def _json(entries: Iterator[dict[str, Any]]) -> Iterator[str]:
    counts: Counter[str] = Counter()
    yield '{"segments": ['
    for number, one in enumerate(entries):
        counts[one["outcome"]] += 1
        yield (",\n" if number else "\n") + json.dumps(one, ensure_ascii=False)
    yield f'\n], "outcomes": {json.dumps(dict(sorted(counts.items())))}}}\n'


def _text(entries: list[dict[str, Any]]) -> Iterator[str]:
    counts = Counter(one["outcome"] for one in entries)
    yield f"{len(entries):,} segments"
    for outcome, meaning in _MEANINGS.items():
        if counts[outcome.value]:
            yield f"{counts[outcome.value]:>7,}  {meaning}"
    for one in entries:
        if one["outcome"] in (Outcome.REPAIRED.value, Outcome.LEFT.value) or "notes" in one:
            yield ""
            yield f"{one['file']}: {one['id']}: {one['outcome']}, {', '.join(one.get('notes', ())) or 'no note'}"
            yield from _wrapped("  source       ", one["source"])
            yield from _wrapped("  translation  ", one.get("translation", "(none)"))
            if protected := one.get("protected"):
                yield from _wrapped("  protected    ", " | ".join(protected))


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=label, subsequent_indent=" " * len(label), break_long_words=False
    ) or [label.rstrip()]
