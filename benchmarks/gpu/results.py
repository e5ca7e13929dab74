"""Results files: JSON, written beside and renamed, so that a stage that is killed leaves what it had found.

Every file of `make gpu` begins with

    {"title", "command": [shell lines], "rehearsal": bool, "device": {...}, "versions": {name: version}, "date",
     "seed", "seconds": how long it took so far, "left_out": [what the time did not suffice for], ...}

and goes on with what its stage's module describes.
"""

import time
from typing import Any

from benchmarks.contest.machine import today
from benchmarks.gpu.context import Context
from mtcli.bench.records.files import Json, load, write

__all__ = ["Json", "ResultsFile", "load", "write"]


class ResultsFile:
    """One results file that grows as a stage goes on."""

    def __init__(self, context: Context, name: str, title: str) -> None:
        self.path = context.results / f"{name}.json"
        self._context = context
        self._started = time.time()
        self.record: Json = {
            "title": title,
            "command": [context.command],
            "rehearsal": context.rehearsal,
            "device": context.device,
            "versions": context.versions,
            "date": today(),
            "seed": context.seed,
            "seconds": 0.0,
            "left_out": [],
        }

    def leave_out(self, what: str) -> None:
        """Record that there was no time for this."""
        self.record["left_out"].append(what)
        self.save()

    def save(self, **parts: Any) -> None:
        """Set these parts and write the whole file."""
        self.record.update(parts)
        self.record["seconds"] = round(time.time() - self._started, 1)
        write(self.path, self.record)
