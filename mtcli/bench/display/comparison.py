"""All figures of a record, and two records side by side: as a table, as JSON and as CSV. Needs no torch."""

import json

from mtcli.bench.display.tables import Block, ReportTable, as_csv, number
from mtcli.bench.record.comparison import MARGIN, Compared, Comparison
from mtcli.bench.record.schema import BenchRecord

FIGURES = ("section", "name", "case", "by", "figure", "median", "low", "high", "repeats", "noisy")
COUNTS = ("bytes", "flops", "fraction")
COLUMNS = ("section", "name", "case", "by", "figure", "better", "old", "new", "ratio", "verdict")
HOW = (
    f"New over old. A figure is a regression where even the better end of its spread is more than {MARGIN:.0%} worse "
    "than the worse end of the old one's."
)
MOST_NAMED = 5


def record_csv(record: BenchRecord) -> str:
    """A row for each figure, beside what the work takes at the least; fraction is empty where there is no roofline."""
    rows = [
        (
            *row.key,
            name,
            one.median,
            one.low,
            one.high,
            one.repeats,
            one.noisy,
            *(getattr(row, count) for count in COUNTS),
        )
        for row in record.rows
        for name, one in row.figures.items()
    ]
    return as_csv((*FIGURES, *COUNTS), rows)


def comparison_blocks(comparison: Comparison, old: BenchRecord, new: BenchRecord) -> list[Block]:
    """Warnings, the ratios of the machine's and mtcli's own figures, what is missing, and the sum."""
    rows = [one for one in comparison.rows if one.ours or one.row.section == "ceilings"]
    blocks: list[Block] = list(comparison.warnings)
    if rows:
        blocks.append(
            ReportTable(
                title=f"Compared: old, of {old.date}, and new, of {new.date}",
                columns=("figure", "better", "old", "new", "new/old", ""),
                rows=tuple(_cells(one) for one in rows),
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
    figures = (number(one.old.median), number(one.new.median), f"{one.ratio:.2f}")
    # A machine that has become slower is no regression of mtcli's.
    verdict = "REGRESSION" if one.is_regression else "within noise" if one.verdict == "same" else one.verdict
    noisy = ", noisy" if one.old.noisy or one.new.noisy else ""
    return what, "more" if one.more_is_better else "less", *figures, f"{verdict}{noisy}"


def regressions_in_words(count: int) -> str:
    """How many, such as `No regression`."""
    return "No regression" if not count else "1 regression" if count == 1 else f"{count} regressions"


def comparison_json(comparison: Comparison) -> str:
    """One object: regressions, warnings, broken, missing, and a row for every figure in both."""
    found = {
        "regressions": comparison.regressions,
        "warnings": comparison.warnings,
        "broken": comparison.broken,
        "missing": comparison.missing,
        "rows": [dict(zip(COLUMNS, _values(row), strict=True)) for row in comparison.rows],
    }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def comparison_csv(comparison: Comparison) -> str:
    """A row for every figure in both."""
    return as_csv(COLUMNS, map(_values, comparison.rows))


def _values(one: Compared) -> tuple[str | float, ...]:
    verdict = "regression" if one.is_regression else one.verdict
    better = "more" if one.more_is_better else "less"
    return *one.row.key, one.figure, better, one.old.median, one.new.median, one.ratio, verdict
