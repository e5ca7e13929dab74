"""The block of docs/bench.md that shows what `mtcli bench` printed, from the records it wrote."""

from pathlib import Path

from benchmarks.report.blocks import wrapped
from mtcli.bench.records.stored import read_record
from mtcli.bench.showing.report import report
from mtcli.bench.showing.tables import as_text

NOT_MEASURED = "**mtcli bench**: not measured yet."


def bench_block(results: Path) -> str:
    """Each machine's `bench.json`, as the command prints it.

    Raises:
        DataError: one of them is no record of this format.
    """
    found = [read_record(path) for path in sorted(results.glob("*/bench.json"))]
    shown = [f"```console\n$ {wrapped(record.command)}\n{as_text(report(record))}```" for record in found]
    return "\n\n".join(shown) or NOT_MEASURED
