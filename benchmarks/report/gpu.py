"""Markdown from the results files of `make gpu`: python -m benchmarks.report.gpu [RESULTS] prints that of every GPU.

For benchmarks/report/pages.py there are `ceilings_block`, `correct_block`, `kernels_block` and `translate_block`, which take
a file's text, and `gpu_blocks`, which takes the folder of all results. A rehearsal is never shown as a measurement.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mtcli.bench.records.rows import OURS

Json = dict[str, Any]

RESULTS = Path(__file__).resolve().parents[1] / "results"
NOT_MEASURED = "not yet measured on a GPU"
WAYS = {"graph": "in a CUDA graph", "eager": "called one by one"}


def ceilings_block(text: str) -> str:
    """The Markdown of a `ceilings.json`."""
    record = _record(text)
    best = record["best"]
    lines = ["| ceiling | measured |", "|---|--:|"]
    lines.append(f"| copy within device memory, bytes read and written | {best['bytes_per_second'] / 1e9:,.0f} GB/s |")
    lines += [
        f"| matrix product, {dtype} | {rate / 1e12:,.1f} TFLOP/s |" for dtype, rate in best["flops_per_second"].items()
    ]
    lines += [f"| {row['what']} | {row['us']['median']:.2f} µs |" for row in record["launch"]]
    return _block(record, lines)


def correct_block(text: str) -> str:
    """The Markdown of a `correct.json`."""
    record = _record(text)
    lines = ["| tests | passed | failed | skipped | seconds |", "|---|--:|--:|--:|--:|"]
    lines += [
        f"| `{one['file']}` | {one['passed']} | {one['failed'] + one['errors']} | {one['skipped']} "
        f"| {one['seconds']:.0f} |{' broke down |' if one['ended'] else ''}"
        for one in record["tests"]
    ]
    sanitizer = record["sanitizer"]
    checked = [f"{name}: {sanitizer[name]['status']}" for name in ("memcheck", "racecheck") if name in sanitizer]
    lines += ["", f"compute-sanitizer: {'; '.join(checked) or sanitizer.get('tool', 'not run')}."]
    return _block(record, lines)


def kernels_block(text: str) -> str:
    """The Markdown of a `kernels.json`: for each operation, times beside those of PyTorch's fastest right answer."""
    record = _record(text)
    lines: list[str] = []
    for op, entry in record["ops"].items():
        for way, words in WAYS.items():
            rows = [row for row in entry["rows"] if any(way in one for one in row["contestants"])]
            if rows:
                lines += _op_lines(f"**`{op}`**, {words}", rows, way)
        lines += _shortcomings(op, entry)
    return _block(record, lines)


def _op_lines(title: str, rows: list[Json], way: str) -> list[str]:
    head = "| inputs | direction | kernel (µs) | PyTorch's best (µs) | which | speed-up | of the ceiling |"
    return [title, "", head, "|---|---|--:|--:|---|--:|--:|", *(_op_row(row, way) for row in rows), ""]


def _op_row(row: Json, way: str) -> str:
    by_name = {one["name"]: one for one in row["contestants"]}
    ours, best = by_name[OURS], row["torch_best"].get(way)
    if way in ours:
        median = ours[way]["median"]
        cells = [f"{median:,.1f}", *_best_cells(by_name, best, way), f"{row['floor_us'] / median:.0%}"]
    else:
        cells = [ours["status"], "", "", "", ""]
    return f"| {row['case']}, {row['dtype']} | {row['direction']} | {' | '.join(cells)} |"


def _best_cells(by_name: dict[str, Json], best: Json | None, way: str) -> list[str]:
    if best is None:
        return ["none", "", ""]
    return [f"{by_name[best['name']][way]['median']:,.1f}", best["name"], f"{best['speedup']:.2f}x"]


def _shortcomings(op: str, entry: Json) -> list[str]:
    """What a reader must not take for measured."""
    found = []
    if entry["left_out"]:
        found.append(f"`{op}`: for lack of time, without {len(entry['left_out'])} cases.")
    found += [f"`{op}`: {sentence}" for sentence in lost(entry)]
    return [*found, ""] if found else []


def lost(entry: Json) -> list[str]:
    """Sentences for the cases that a broken process took with it."""
    return [*entry["lost"], *([entry["error"]] if entry.get("error") else [])]


def kernel_lines(record: Json) -> list[str]:
    """The same for the terminal, in columns."""
    head = (f"{words:>12}" for words in ("kernel, us", "PyTorch's", "which", "speed-up", "of ceiling"))
    lines = [f"{'':77} {' '.join(head)}"]
    for op, entry in record["ops"].items():
        lines.append(f"{op}{'' if entry['finished'] else ', not finished'}:")
        for row in entry["rows"]:
            ways = [way for way in WAYS if any(way in one for one in row["contestants"])]
            lines += ["  " + _columns(row, way) for way in ways]
        lines += [f"  left out: {title}" for title in entry["left_out"]]
        lines += [f"  lost: {sentence}" for sentence in lost(entry)]
    return lines


def _columns(row: Json, way: str) -> str:
    cells = [cell.strip() for cell in _op_row(row, way).strip("| ").split(" | ")]
    name, direction, ours, *rest = [*cells, *[""] * 7][:7]
    shown = " ".join(f"{cell:>12}" for cell in (ours, *rest))
    return f"{name[:62]:62} {'fwd+bwd' if 'backward' in direction else 'fwd':7} {way:5} {shown}"


def translate_block(text: str) -> str:
    """The Markdown of a `translate.json`: for each search the rates by sentences at once, then the latencies."""
    record = _record(text)
    model, sources = record["model"], record["sources"]
    lines = [
        f"Transformer {model['name']}, {model['parameters'] / 1e6:.0f} million random weights in float16; "
        f"{sources['origin']}, {sources['mean']:.0f} source tokens on average; {record['target_tokens']} target tokens "
        "forced for each.",
        "",
    ]
    many = [row for row in record["rows"] if not row["one_by_one"]]
    for search in dict.fromkeys(row["search"] for row in many):
        lines += _rates_of(search, [row for row in many if row["search"] == search])
    lines += _latencies([row for row in record["rows"] if row["one_by_one"]])
    taken = [row for row in record["rows"] if row["status"] == "right"]
    if taken:
        spread = max((row["max"] - row["min"]) / row["median"] for row in taken)
        rounds = max(row["rounds"] for row in taken)
        lines += [f"Medians of up to {rounds} rounds; a figure's least and greatest are up to {spread:.0%} apart.", ""]
    why = dict.fromkeys((row["contestant"], row["why"]) for row in record["rows"] if row["status"] == "cannot run")
    lines += [f"Could not run: {'; '.join(f'{who}: {words}' for who, words in why)}.", ""] if why else []
    failed = [f"{one['check']} ({one['detail']})" for one in record["checks"] if one["passed"] is False]
    lines += [f"Checks that failed: {'; '.join(failed)}.", ""] if failed else []
    return _block(record, lines)


def _rates_of(search: str, rows: list[Json]) -> list[str]:
    """One search's table: a line for each way to decode, a column for each number of sentences at once."""
    sizes = sorted({row["size"] for row in rows})
    lines = [
        f"**{search}**, target tokens a second, by sentences at once (milliseconds for one more token of all)",
        "",
        f"| decoder | {' | '.join(map(str, sizes))} | best, to mtcli |",
        f"|---|{'--:|' * len(sizes)}--:|",
    ]
    for who, way in dict.fromkeys((row["contestant"], row["way"]) for row in rows):
        own = {row["size"]: row for row in rows if (row["contestant"], row["way"]) == (who, way)}
        cells = [_rate_cell(own[size]) if size in own else "" for size in sizes]
        best = max((row.get("ratio") or 0.0 for row in own.values()), default=0.0)
        lines.append(f"| {_who(who, way)} | {' | '.join(cells)} | {f'{best:.2f}x' if best else ''} |")
    return [*lines, ""]


def _rate_cell(row: Json) -> str:
    return f"{row['median']:,.0f} ({row['step_ms']:.2f})" if row["status"] == "right" else row["status"]


def _latencies(rows: list[Json]) -> list[str]:
    if not rows:
        return []
    head = "| one sentence at a time | search | p50 (ms) | p95 (ms) | target tokens/s |"
    lines = [head, "|---|---|--:|--:|--:|"]
    for row in rows:
        right = row["status"] == "right"
        figures = (f"{row['p50_ms']:.1f}", f"{row['p95_ms']:.1f}", f"{row['median']:,.0f}") if right else ()
        cells = figures or (row["status"], "", "")
        lines.append(f"| {_who(row['contestant'], row['way'])} | {row['search']} | {' | '.join(cells)} |")
    return [*lines, ""]


def train_block(text: str) -> str:
    """The Markdown of a `train.json`: for each model the rates, then where mtcli's time goes."""
    record = _record(text)
    lines: list[str] = []
    for part in record["models"]:
        model, tokens = part["model"], part["mean_tokens"]
        lines += [
            f"**{model['name']}**, {model['parameters'] / 1e6:.0f} million parameters, bfloat16; random sentences as "
            f"long as news, {tokens['src']:,.0f} source and {tokens['tgt']:,.0f} target tokens a batch.",
            "",
            "| trainer | target tokens/s | an update (ms) | to mtcli | of the ceiling | memory (GiB) |",
            "|---|--:|--:|--:|--:|--:|",
            *(_trained(row) for row in part["rows"]),
            "",
        ]
        if part["parts"]:
            shares = ", ".join(f"{one['part']} {one['share']:.0%}" for one in part["parts"])
            lines += [f"mtcli's update: {shares}.", ""]
        why = [f"{_who(row['contestant'], row['way'])}: {row['why']}" for row in part["rows"] if row["why"]]
        lines += [f"Not right, or not there: {'; '.join(why)}.", ""] if why else []
    return _block(record, lines)


def _trained(row: Json) -> str:
    cells = (row["status"], "", "", "", "")
    if row["status"] == "right":
        memory = "" if row["peak_gib"] is None else f"{row['peak_gib']:.1f}"
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}x"
        cells = (f"{row['median']:,.0f}", f"{row['step_ms']:.1f}", ratio, f"{row['fraction']:.0%}", memory)
    return f"| {_who(row['contestant'], row['way'])} | {' | '.join(cells)} |"


def quality_block(text: str) -> str:
    """The Markdown of a `quality.json`: each seed's score, and their mean."""
    record = _record(text)
    lines = [
        "| seed | trained (min) | steps | target tokens/s | test set | beam | BLEU | chrF |",
        "|--:|--:|--:|--:|---|--:|--:|--:|",
    ]
    scored = [run for run in record["runs"] if run["status"] == "scored"]
    lines += [
        f"| {run['seed']} | {run['minutes']:.1f} | {run['steps']:,} | {run['target_tokens_per_second']:,.0f} "
        f"| {run['set']} | {run['beam']} | {run['bleu']:.2f} | {run['chrf']:.2f} |"
        for run in scored
    ]
    lines += ["", *(f"Seed {run['seed']} failed: {run['why']}" for run in record["runs"] if run not in scored)]
    if spread := record["bleu"]:
        lines.append(f"BLEU {spread['mean']:.2f} on average, {spread['min']:.2f} to {spread['max']:.2f}.")
    signatures = dict.fromkeys(run["signatures"]["bleu"] for run in scored)
    return _block(record, [*lines, "", *(f"- BLEU: `{signature}`" for signature in signatures), ""])


def _who(contestant: str, way: str) -> str:
    return ", ".join(filter(None, (contestant, way)))


def _block(record: Json, lines: list[str]) -> str:
    device, versions = record["device"], record["versions"]
    words = ", ".join(f"{name} {version}" for name, version in versions.items())
    left_out = record["left_out"]
    return "\n".join(
        [
            f"**{record['title']}**: {device['gpu']}, driver {device['driver']}; {words}; {record['date']}.",
            "",
            *lines,
            *([f"Left out for lack of time: {', '.join(left_out)}.", ""] if left_out else []),
            "```console",
            *(f"$ {command}" for command in record["command"]),
            "```",
        ]
    )


def _record(text: str) -> Json:
    record: Json = json.loads(text)
    if record["rehearsal"]:
        raise ValueError("this is a rehearsal's file: its figures were not taken on a GPU.")
    return record


BLOCKS: dict[str, Callable[[str], str]] = {
    "ceilings": ceilings_block,
    "correct": correct_block,
    "kernels": kernels_block,
    "translate": translate_block,
    "train": train_block,
    "quality": quality_block,
}


def gpu_blocks(name: str, results: Path = RESULTS) -> str:
    """One kind of table for every GPU that has a file of this name in its folder of the results."""
    files = sorted(results.glob(f"*/{name}.json"))
    if not files:
        return f"**{name.capitalize()}**: {NOT_MEASURED}."
    return "\n\n".join(BLOCKS[name](path.read_text(encoding="utf-8")) for path in files)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.report.gpu", description="Print the measurements as Markdown."
    )
    parser.add_argument("results", type=Path, nargs="?", default=RESULTS, help="folder of one folder for each machine")
    results = parser.parse_args().results
    print("\n\n".join(gpu_blocks(name, results) for name in BLOCKS))


if __name__ == "__main__":
    main()
