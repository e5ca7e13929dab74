"""All figures of a record, and two records side by side: as a table, as JSON and as CSV. Needs no torch."""

import json
from typing import Any

from mtcli.bench.display.tables import Block, ReportTable, as_csv, number
from mtcli.bench.record.comparison import MARGIN, Compared, Comparison
from mtcli.bench.record.schema import BenchRecord, BenchRow

HOW = (
    f"New over old. A figure is a regression where even the better end of its spread is more than {MARGIN:.0%} worse "
    "than the worse end of the old one's."
)
MOST_NAMED = 5


def _which(row: BenchRow) -> dict[str, Any]:
    return dict(zip(("section", "name", "case", "by"), row.key, strict=True))


def record_csv(record: BenchRecord) -> str:
    """A row for each figure, beside what the work takes at the least; fraction is empty where there is no roofline."""
    return as_csv(
        _which(row)
        | {"figure": name, **dict(figure), "noisy": figure.noisy}
        | {"bytes": row.bytes, "flops": row.flops, "fraction": row.fraction}
        for row in record.rows
        for name, figure in row.figures.items()
    )


def comparison_csv(comparison: Comparison) -> str:
    """A row for every figure in both."""
    return as_csv(map(_plain, comparison.rows))


def comparison_json(comparison: Comparison) -> str:
    """One object: regressions, warnings, broken, missing, and a row for every figure in both."""
    found = {name: getattr(comparison, name) for name in ("regressions", "warnings", "broken", "missing")}
    return json.dumps(found | {"rows": list(map(_plain, comparison.rows))}, indent=1, ensure_ascii=False) + "\n"


def _plain(one: Compared) -> dict[str, Any]:
    figures = {"old": one.old.median, "new": one.new.median, "ratio": one.ratio}
    verdict = "regression" if one.is_regression else one.verdict
    return _which(one.row) | {"figure": one.figure, "better": _better(one), **figures, "verdict": verdict}


def _better(one: Compared) -> str:
    return "more" if one.more_is_better else "less"


def comparison_blocks(comparison: Comparison, old: BenchRecord, new: BenchRecord) -> list[Block]:
    """Warnings, the ratios of the machine's and mtcli's own figures, what is missing, and the sum."""
    blocks: list[Block] = list(comparison.warnings)
    if rows := [one for one in comparison.rows if one.ours or one.row.section == "ceilings"]:
        blocks.append(
            ReportTable(
                title=f"Compared: old, of {old.date}, and new, of {new.date}",
                columns=("figure", "better", "old", "new", "new/old", ""),
                rows=tuple(map(_cells, rows)),
                words=(0, 1, 5),
                notes=(HOW,),
            )
        )
    blocks += comparison.broken
    if comparison.missing:
        more = len(comparison.missing) - MOST_NAMED
        named = [*comparison.missing[:MOST_NAMED], *([f"and {more} more"] if more > 0 else [])]
        blocks.append(f"Only in the old record: {'; '.join(named)}.")
    own = [row for row in comparison.rows if row.ours]
    better = sum(row.verdict == "better" for row in own)
    both = f"{len(own)} figures of mtcli's are in both, {better} of them better."
    return [*blocks, f"{regressions_in_words(comparison.regressions)}: {both}"]


def _cells(one: Compared) -> tuple[str, ...]:
    by = f", {one.row.by}" if one.row.section == "kernels" else ""
    what = f"{one.row.name}, {one.row.case}{by}: {one.figure}"
    # A machine that has become slower is no regression of mtcli's.
    verdict = "REGRESSION" if one.is_regression else "within noise" if one.verdict == "same" else one.verdict
    noisy = ", noisy" if one.old.noisy or one.new.noisy else ""
    return what, _better(one), number(one.old.median), number(one.new.median), f"{one.ratio:.2f}", verdict + noisy


def regressions_in_words(count: int) -> str:
    """How many, such as `No regression`."""
    return "No regression" if not count else "1 regression" if count == 1 else f"{count} regressions"
