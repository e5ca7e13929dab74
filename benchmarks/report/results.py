"""The README's one table: mtcli beside the others, from the results files that there are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contest.records import Decoded, Decoding, Quality, Result, Row, Training
from benchmarks.report.blocks import circumstances, machine, table
from benchmarks.report.tables import OURS, best

COLUMNS = ("mtcli", "CTranslate2", "CTranslate2, int8", "Hugging Face Marian", "JoeyNMT", "PyTorch")
SHORTER = {"Hugging Face Marian": "Hugging Face"}
SCORED = {"quality-multi30k": "Multi30k, 2016 test set", "quality-tatoeba-en-de": "the model in the box, Tatoeba"}


@dataclass(frozen=True)
class Line:
    """A row: what was measured, where a rate of each column stands, and what it is from."""

    what: str
    rates: dict[str, float]
    result: Result


def results_block(folder: Path) -> str:
    """Return the table, sentences on who is faster than mtcli, and the machines.

    Raises:
        ValidationError: a file is not what `benchmarks.contest.records` describes.
    """
    lines = [*_decoded(folder), *_trained(folder)]
    scores = list(_scores(folder))
    if not lines and not scores:
        return "**Results**: not measured yet."
    rows = [[line.what, *(_cell(line.rates.get(name)) for name in COLUMNS)] for line in lines]
    rows += [[what, f"{bleu:.1f}", *[""] * (len(COLUMNS) - 1)] for what, bleu, _ in scores]
    head = ("target tokens/s", *(SHORTER.get(name, name) for name in COLUMNS))
    machines = _machines([*(line.result for line in lines), *(result for _, _, result in scores)])
    return "\n".join([*table(head, rows), "", *_faster(lines), "", *(f"- {one}" for one in machines)])


def _machines(results: Sequence[Result]) -> list[str]:
    """Each machine and date once, with the versions of all that was measured there then."""
    found: dict[tuple[str, str], Result] = {}
    for result in results:
        key = machine(result), result.date
        known = found.get(key, result)
        found[key] = known.model_copy(update={"versions": known.versions | result.versions})
    return [circumstances(result) for result in found.values()]


def _cell(rate: float | None) -> str:
    return "" if rate is None else f"{rate:,.0f}"


def _read(folder: Path, name: str) -> str | None:
    path = folder / "cpu" / f"{name}.json"
    return path.read_text(encoding="utf-8") if path.exists() else None


def _decoded(folder: Path) -> Iterator[Line]:
    for name, model in (("decoding-trained", "the model in the box"), ("decoding-base", "Transformer-base")):
        if text := _read(folder, name):
            result = Decoding.model_validate_json(text)
            rows = best(result.parts[0].rows)
            for search in dict.fromkeys(row.search for row in rows):
                yield Line(f"translate, {model}, {search}", _fastest([r for r in rows if r.search == search]), result)


def _trained(folder: Path) -> Iterator[Line]:
    for name, model in (("training-tiny", "Transformer-Tiny, Multi30k"), ("training-base", "Transformer-base")):
        if text := _read(folder, name):
            result = Training.model_validate_json(text)
            most = max(row.cores for row in result.rows)
            yield Line(f"train, {model}", _fastest([row for row in result.rows if row.cores == most]), result)


def _fastest(rows: Sequence[Row]) -> dict[str, float]:
    """The best rate for each column: float32 but for int8; mtcli's is what it does by default."""
    found: dict[str, float] = {}
    for row in rows:
        is_default = row.contestant != OURS or not row.way
        column = row.contestant if row.dtype == "float32" else f"{row.contestant}, {row.dtype}"
        if isinstance(row, Decoded) and row.contestant == "PyTorch, compiled":
            column = "PyTorch" if row.dtype == "float32" else column
        if column in COLUMNS and is_default and row.median is not None:
            found[column] = max(found.get(column, 0.0), row.median)
    return found


def _scores(folder: Path) -> Iterator[tuple[str, float, Result]]:
    for name, words in SCORED.items():
        if text := _read(folder, name):
            result = Quality.model_validate_json(text)
            yield f"BLEU, {words}", result.models[0].scores[0].bleu, result


def _faster(lines: Sequence[Line]) -> list[str]:
    """Sentences on who is faster than mtcli, and how much."""
    found: dict[str, list[str]] = {}
    for line in lines:
        ours = line.rates.get(OURS)
        for name, rate in line.rates.items():
            if ours and rate > ours:
                found.setdefault(name, []).append(f"{line.what} ({rate / ours:.1f} times)")
    note = "All in float32 but int8, each with its fastest batch and threads, mtcli as it is by default."
    return [note, "", *(f"- {SHORTER.get(name, name)} is faster: {'; '.join(where)}." for name, where in found.items())]
