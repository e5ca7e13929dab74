"""The results as text and as JSON."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from aot.judging import problems
from aot.machine_code import ptxas_version
from aot.rows import Row

LEFT = ("op", "kernel", "note", "arch", "dtype")
RIGHT = ("head", "blocks", "warps", "stages", "regs", "spill_bytes", "shared_bytes", "hmma", "hgmma", "seconds")
COLUMNS = LEFT + RIGHT


def table(rows: Sequence[Row]) -> str:
    """The rows as aligned plain text under a line of column names; `!` before those with a problem."""
    lines = [COLUMNS, *map(_cells, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    marks = [" ", *("!" if problems(row) else " " for row in rows)]
    return "\n".join(f"{mark} {_aligned(line, widths)}".rstrip() for mark, line in zip(marks, lines, strict=True))


def _cells(row: Row) -> list[str]:
    values = {
        **vars(row),
        "arch": f"sm_{row.arch}",
        "head": row.head_dim,
        "blocks": "x".join(map(str, row.blocks.values())),
        "seconds": None if row.seconds is None else f"{row.seconds:.2f}",
    }
    return ["-" if values[column] in (None, "") else str(values[column]) for column in COLUMNS]


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(
        cell.ljust(width) if column in LEFT else cell.rjust(width)
        for column, cell, width in zip(COLUMNS, cells, widths, strict=True)
    )


def versions(archs: Sequence[int]) -> dict[str, Any]:
    """What compiled: Triton, Python, and by compute capability the assembler."""
    return {
        "triton": version("triton"),
        "python": platform.python_version(),
        "ptxas": {f"sm_{arch}": ptxas_version(arch) for arch in archs},
    }


def write_json(file: Path, rows: Sequence[Row], made_by: dict[str, Any], keep_others: bool) -> None:
    """Write `versions` (a list, one for each Triton) and `rows`, each with the fields of `Row` and its `problems`.

    Args:
        file: where to; its folder is made.
        rows: the results of this run.
        made_by: `versions` of this run.
        keep_others: keep what other versions of Triton have written there.
    """
    report: dict[str, list[Any]] = {"versions": [], "rows": []}
    if keep_others and file.exists():
        for key, entries in json.loads(file.read_text()).items():
            report[key] = [entry for entry in entries if entry["triton"] != made_by["triton"]]
    report["versions"].append(made_by)
    report["rows"] += [{**asdict(row), "problems": problems(row)} for row in rows]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(report, indent=1) + "\n")
