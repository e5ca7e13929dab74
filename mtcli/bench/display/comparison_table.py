"""Two records side by side as a table, as JSON and as CSV. Needs no torch."""

import json

from mtcli.bench.display.csv_rows import to_csv
from mtcli.bench.display.quantities import number
from mtcli.bench.display.tables import Block, Table
from mtcli.bench.record.compare import MARGIN, Compared, Comparison
from mtcli.bench.record.schema import Record

COLUMNS = ("section", "name", "case", "by", "figure", "unit", "better", "old", "new", "ratio", "verdict")
HOW = (
    f"New over old. A figure is a regression where even the better end of its spread is more than {MARGIN:.0%} worse "
    "than the worse end of the old one's."
)
MOST_NAMED = 5


def comparison_blocks(comparison: Comparison, old: Record, new: Record) -> list[Block]:
    """Warnings, the ratios of the machine's and mtcli's own figures, what is missing, and the sum."""
    rows = [row for row in comparison.rows if row.ours or row.new.section == "ceilings"]
    blocks: list[Block] = list(comparison.warnings)
    if rows:
        blocks.append(
            Table(
                title=f"Compared: old, of {old.date}, and new, of {new.date}",
                columns=("figure", "unit", "better", "old", "new", "new/old", ""),
                rows=tuple(_cells(row) for row in rows),
                words=(0, 1, 2, 6),
                notes=(HOW,),
            )
        )
    blocks += comparison.broken
    if comparison.missing:
        named = "; ".join(comparison.missing[:MOST_NAMED])
        more = len(comparison.missing) - MOST_NAMED
        blocks.append(f"Only in the old record: {named}{f'; and {more} more' if more > 0 else ''}.")
    return [*blocks, summary(comparison)]


def _cells(row: Compared) -> tuple[str, ...]:
    new = row.new
    by = f", {new.by}" if new.section == "kernels" else ""
    what = f"{new.name}, {new.case}{by}: {new.figure}"
    figures = (_figure(row.old.median), _figure(new.median), f"{row.ratio:.2f}")
    return (what, new.unit, "more" if new.more_is_better else "less", *figures, verdict_words(row))


def _figure(value: float) -> str:
    return number(value) if abs(value) < 1e7 else f"{value:.3g}"


def verdict_words(row: Compared) -> str:
    """What to call a row: a machine that has become slower is no regression of mtcli's."""
    noisy = ", noisy" if row.old.noisy or row.new.noisy else ""
    if row.is_regression:
        return f"REGRESSION{noisy}"
    return f"{'within noise' if row.verdict == 'same' else row.verdict}{noisy}"


def summary(comparison: Comparison) -> str:
    """The comparison in a sentence."""
    own = [row for row in comparison.rows if row.ours]
    better = sum(row.verdict == "better" for row in own)
    both = f"{len(own)} figures of mtcli's are in both, {better} of them better."
    return f"{regressions_in_words(comparison.regressions)}: {both}"


def regressions_in_words(count: int) -> str:
    return "No regression" if not count else "1 regression" if count == 1 else f"{count} regressions"


def comparison_json(comparison: Comparison) -> str:
    """One object: regressions, warnings, broken, missing, and a row for every figure in both."""
    rows = [dict(zip(COLUMNS, _values(row), strict=True)) for row in comparison.rows]
    found = {
        "regressions": comparison.regressions,
        "warnings": comparison.warnings,
        "broken": comparison.broken,
        "missing": comparison.missing,
        "rows": rows,
    }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def comparison_csv(comparison: Comparison) -> str:
    """Header, and a row for every figure in both."""
    rows = [
        [f"{value:.6g}" if isinstance(value, float) else value for value in _values(row)] for row in comparison.rows
    ]
    return to_csv(COLUMNS, rows)


def _values(row: Compared) -> list[str | float]:
    new = row.new
    verdict = "regression" if row.is_regression else row.verdict
    better = "more" if new.more_is_better else "less"
    return [*new.key, new.unit, better, row.old.median, new.median, row.ratio, verdict]
