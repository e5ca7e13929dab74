"""Results files: JSON, written beside and renamed, so that a stage that is killed leaves what it had found.

Every file of `make gpu` begins with

    {"title", "command": [shell lines], "rehearsal": bool, "device": {...}, "versions": {name: version}, "date",
     "seed", "seconds": how long it took so far, "left_out": [what the time did not suffice for], ...}

and goes on with what its stage's module describes.
"""

import json
import math
import os
import time
from pathlib import Path
from typing import Any

from machine import today

from gpu.context import Context

Json = dict[str, Any]


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


def write(path: Path, record: Json) -> None:
    """Replace the file at once, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(_rounded(record), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    beside.replace(path)


def load(path: Path) -> Json | None:
    """The record in a results file; None where there is no file, or one that is no JSON."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None


def _rounded(value: Any) -> Any:
    """Floats to five significant digits, and None for those that JSON cannot hold."""
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _rounded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    return value
