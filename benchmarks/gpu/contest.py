"""One operation's contest on the GPU, in a process of its own, which adds its rows to `kernels.json` one by one."""

import sys
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.ceilings import ceilings_of
from benchmarks.gpu.context import Context
from benchmarks.gpu.results import Json, load, write
from mtcli.bench.measuring.contest import BrokenDeviceError, dtype_name, forget, measure, operation
from mtcli.bench.measuring.timing import Stopwatch
from mtcli.bench.records.rows import one_line

CASE_SECONDS = 15.0  # a case is not begun with less time left


def run(context: Context) -> None:
    """Measure the one operation of the context and add it to `kernels.json`.

    Goes on behind the case that an earlier process broke down in, if one did.
    """
    (name,) = context.ops
    torch.set_float32_matmul_precision("highest")
    watch = Stopwatch(context.torch_device, context.rehearsal)
    ceilings: dict[torch.dtype, tuple[Json, str]] = {}
    report = Report(context.results / "kernels.json", name)
    for number, case in enumerate(operation(name).cases(context)):
        if number < report.entry["begun"]:
            continue
        if context.left() < CASE_SECONDS:
            report.entry["left_out"].append(case.title)
            continue
        report.save(begun=number + 1, error=f"The process ended during: {case.title}.")
        if case.dtype not in ceilings:
            ceilings[case.dtype] = ceilings_of(context, watch, dtype_name(case.dtype))
        best, source = ceilings[case.dtype]
        try:
            row = measure(case, context.seed, watch, best)
        except BrokenDeviceError as error:
            report.save(error=f"{case.title}: {error}")
            sys.exit(f"{name}: {case.title}: {error}")
        report.entry["rows"].append(row)
        report.save(ceilings=source)
        print(one_line(name, row), flush=True)
        forget()
    report.save(error=None, finished=True)


class Report:
    """An operation's entry in `kernels.json`; the stage has written the file before."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._started = time.time()
        fresh: Json = {"finished": False, "begun": 0, "seconds": 0.0, "left_out": [], "lost": [], "rows": []}
        self.entry: Json = self._file()["ops"].get(name) or fresh
        if error := self.entry.pop("error", None):
            self.entry["lost"].append(error)
        self._before = self.entry["seconds"]
        self.save()

    def _file(self) -> Json:
        record = load(self._path)
        assert record is not None, "the stage writes the file first"
        return record

    def save(self, **parts: Any) -> None:
        """Set these parts of the entry and write the file."""
        self.entry.update(parts)
        self.entry["seconds"] = self._before + time.time() - self._started
        record = self._file()
        record["ops"][self._name] = self.entry
        write(self._path, record)
