"""The kernels of a record as tables, each beside the plain form and the fastest of PyTorch's. Needs no torch."""

from typing import Any

from mtcli.bench.display.quantities import RateUnit, gigabytes, number, share, spread, times
from mtcli.bench.display.tables import Block, Table
from mtcli.bench.record.measurements import figure_of
from mtcli.bench.record.rows import plain_of
from mtcli.bench.record.schema import Kernels

Row = dict[str, Any]
WAYS = {"graph": "in a CUDA graph", "eager": "called one by one"}
DIRECTIONS = {"forward": "fwd", "forward and backward": "fwd+bwd"}

PREPARED = "*"
BESIDE = (
    "To plain, to torch: how many times as long the same work on the same inputs takes as plain PyTorch operations, "
    "and as the fastest of PyTorch's own kernels that gave a right result; under 1 they are the faster ones. "
    f"{PREPARED}: it gets its inputs in a form that suits it, padded or copied beforehand, which is not in its time."
)


def kernel_tables(kernels: Kernels, unit: RateUnit) -> list[Block]:
    """For each operation a table for each way it was called; those that gave no right result are named below."""
    blocks: list[Block] = [BESIDE]
    for name, rows in kernels.operations.items():
        if not rows:
            continue  # the time did not suffice, which `left_out` says
        ways = [way for way in WAYS if any(one.get(way) for row in rows for one in row["contestants"])] or ["eager"]
        blocks += [_table(name, rows, way, kernels.ours, unit, last=way == ways[-1]) for way in ways]
    return blocks


def _table(name: str, rows: tuple[Row, ...], way: str, ours: str, unit: RateUnit, *, last: bool) -> Table:
    columns = ("inputs", "", "time (µs)", "spread", "GB/s", unit.name, "roofline", "to plain", "to torch")
    return Table(
        title=f"{name} ({ours}), {WAYS[way]}",
        columns=(*columns, "torch's best"),
        rows=tuple(_cells(row, way, ours, unit) for row in rows),
        words=(0, 1, len(columns)),
        notes=tuple(_shortcomings(rows, ours)) if last else (),
    )


def _cells(row: Row, way: str, ours: str, unit: RateUnit) -> tuple[str, ...]:
    by_name = {one["name"]: one for one in row["contestants"]}
    head = (f"{row['case']}, {row['dtype']}", _direction(row))
    own = by_name.get(ours, {"status": "left out"})
    best = fastest(row["contestants"], way, ours)
    name = "" if best is None else f"{best['name']}{PREPARED if best.get('prepared') else ''}"
    against = (_times_of(by_name.get(plain_of(ours)), own, way), _times_of(best, own, way), name)
    if own["status"] != "right" or not own.get(way):
        status = own["status"] if own["status"] != "right" else ""
        return (*head, status, "", "", "", "", *against)
    time = figure_of(own[way])
    seconds = time.median * 1e-6
    rates = (gigabytes(row["bytes"] / seconds), unit(row["flops"] / seconds) if row["flops"] else "")
    return (*head, number(time.median), spread(time), *rates, share(row["floor_us"] / time.median), *against)


def fastest(contestants: list[Row], way: str, ours: str) -> Row | None:
    """Of the right ones that are not mtcli's own."""
    others = [one for one in contestants if one["status"] == "right" and one.get(way)]
    others = [one for one in others if one["name"] not in (ours, plain_of(ours))]
    return min(others, key=lambda one: float(one[way]["median"]), default=None)


def _times_of(other: Row | None, own: Row, way: str) -> str:
    """How many times as long the other takes."""
    if not other or other["status"] != "right" or not other.get(way) or not own.get(way):
        return ""
    return times(other[way]["median"] / own[way]["median"])


def _shortcomings(rows: tuple[Row, ...], ours: str) -> list[str]:
    """Who gave no right result, on what, and why: without a time, and not counted among torch's best."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.get("left_out"):
            found.setdefault(row["left_out"].rstrip("."), []).append(_case(row))
        for one in row["contestants"]:
            if one["status"] != "right":
                because = f": {one['why'].rstrip('.')}" if one.get("why") else ""
                who = f"{one['name']} (mtcli's)" if one["name"] == ours else one["name"]
                found.setdefault(f"{who}: {one['status']}{because}", []).append(_case(row))
    return [f"{what} - {_where(cases, len(rows))}." for what, cases in found.items()]


def _direction(row: Row) -> str:
    words: str = row["direction"]
    return DIRECTIONS.get(words, words)


def _case(row: Row) -> str:
    return f"{row['case']} {_direction(row)}"


def _where(cases: list[str], of: int) -> str:
    if len(cases) == of > 1:
        return "in all cases"
    return "; ".join(cases) if len(cases) <= 2 else f"{cases[0]} and {len(cases) - 1} others"
