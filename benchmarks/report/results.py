"""The README's one table: mtcli beside the others, from the results files that there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.contest.records import Decoded, Decoding, Quality, Result, Row, Training
from benchmarks.report.rows import OURS, best

COLUMNS = ("mtcli", "mtcli, int8", "CTranslate2", "CTranslate2, int8", "Hugging Face Marian", "JoeyNMT", "PyTorch")
# What is shown of which files, in words.
DECODED = {"decoding-trained": "the model in the box", "decoding-base": "Transformer-base"}
TRAINED = {"training-tiny": "Transformer-Tiny, Multi30k", "training-base": "Transformer-base"}
SCORED = {"quality-multi30k": "Multi30k, 2016 test set", "quality-tatoeba-en-de": "the model in the box, Tatoeba"}

R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class Line:
    """A row: what was measured, and where a rate of each column stands."""

    what: str
    rates: dict[str, float]


def first_table(folder: Path) -> dict[str, Any]:
    """Return rates and scores, who is faster than mtcli and where, and the machines; nothing if nothing was measured.

    Raises:
        ValidationError: a file is not what `benchmarks.contest.records` describes.
    """
    decoded, trained = _read(folder, DECODED, Decoding), _read(folder, TRAINED, Training)
    scored = _read(folder, SCORED, Quality)
    results = [*decoded.values(), *trained.values(), *scored.values()]
    if not results:
        return {}
    lines = [line for what, result in decoded.items() for line in _decoded(what, best(result.parts[0].rows))]
    lines += [Line(f"train, {what}", _fastest(_with_most_cores(result))) for what, result in trained.items()]
    return {
        "columns": COLUMNS,
        "lines": lines,
        "scores": [(f"BLEU, {what}", result.models[0].scores[0].bleu) for what, result in scored.items()],
        "faster": _faster(lines),
        "machines": _machines(results),
    }


def _read(folder: Path, names: Mapping[str, str], record: type[R]) -> dict[str, R]:
    """The files that there are, by what they show."""
    paths = {what: folder / "cpu" / f"{name}.json" for name, what in names.items()}
    return {
        what: record.model_validate_json(path.read_text(encoding="utf-8"))
        for what, path in paths.items()
        if path.exists()
    }


def _decoded(what: str, rows: Sequence[Decoded]) -> list[Line]:
    searches = dict.fromkeys(row.search for row in rows)
    return [
        Line(f"translate, {what}, {search}", _fastest([row for row in rows if row.search == search]))
        for search in searches
    ]


def _with_most_cores(result: Training) -> list[Row]:
    most = max(row.cores for row in result.rows)
    return [row for row in result.rows if row.cores == most]


def _fastest(rows: Sequence[Row]) -> dict[str, float]:
    """The best rate for each column: float32 but for int8; mtcli's is what it does by default."""
    found: dict[str, float] = {}
    for row in rows:
        is_default = row.contestant != OURS or not row.way
        column = row.contestant if row.dtype == "float32" else f"{row.contestant}, {row.dtype}"
        if isinstance(row, Decoded) and column == "PyTorch, compiled":
            column = "PyTorch"
        if column in COLUMNS and is_default and row.median is not None:
            found[column] = max(found.get(column, 0.0), row.median)
    return found


def _faster(lines: Sequence[Line]) -> dict[str, list[str]]:
    """Where somebody is faster than mtcli with the same kind of numbers, and how much, by name."""
    found: dict[str, list[str]] = {}
    for line in lines:
        for name, rate in line.rates.items():
            ours = line.rates.get(f"{OURS}, int8" if name.endswith(", int8") else OURS)
            if ours and rate > ours:
                found.setdefault(name, []).append(f"{line.what} ({rate / ours:.1f} times)")
    return found


def _machines(results: Sequence[Result]) -> list[Result]:
    """Each machine and date once, with the versions of all that was measured there then."""
    found: dict[tuple[str, str], Result] = {}
    for result in results:
        known = found.setdefault((str(result.device), result.date), result)
        together = known.model_copy(update={"versions": known.versions | result.versions})
        found[str(result.device), result.date] = together
    return list(found.values())
