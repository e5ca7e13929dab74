"""A record as CSV: one row for each measured figure. Needs no torch."""

import csv
import io

from mtcli.bench.record.measurements import measured
from mtcli.bench.record.schema import Record

COLUMNS = (
    "section",
    "name",
    "case",
    "by",
    "figure",
    "unit",
    "median",
    "low",
    "high",
    "repeats",
    "noisy",
    "fraction",
)


def csv_text(record: Record) -> str:
    """Header and rows; a cell is empty where a figure was not repeated, or has no roofline."""
    rows = [[_cell(getattr(one, column)) for column in COLUMNS] for one in measured(record)]
    return to_csv(COLUMNS, rows)


def to_csv(columns: tuple[str, ...], rows: list[list[str]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return stream.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
