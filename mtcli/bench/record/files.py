"""Results as JSON files, written beside and renamed, so that a run that is killed leaves what it had found."""

import json
import math
import os
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def write(path: Path, record: Json) -> None:
    """Replace the file at once, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(rounded(record), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    beside.replace(path)


def load(path: Path) -> Json | None:
    """The record in a results file; None where there is no file, or one that is no JSON."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None


def rounded(value: Any) -> Any:
    """Floats to five significant digits, and None for those that JSON cannot hold."""
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): rounded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part) for part in value]
    return value
