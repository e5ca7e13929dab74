"""Records of `mtcli bench` as files. Needs no torch."""

import json
import math
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mtcli.bench.record.schema import FORMAT_VERSION, BenchRecord
from mtcli.errors import DataError
from mtcli.files import display_name, open_binary


def to_json(record: BenchRecord) -> str:
    """The record as it is stored, numbers to five significant digits."""
    plain = _rounded(record.model_dump(mode="json", by_alias=True))
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _rounded(value: Any) -> Any:
    """Floats to five significant digits, and None for those that JSON cannot hold."""
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, list) else value


def as_stored(record: BenchRecord) -> BenchRecord:
    """The record as it will be read back, so that what is shown now and later is the same."""
    return BenchRecord.model_validate_json(to_json(record))


def read_record(path: Path) -> BenchRecord:
    """A stored record; compressed by suffix, `-` is stdin.

    Raises:
        DataError: the file is missing, unreadable, cut short, or no record that this mtcli reads.
    """
    name = display_name(path)
    with open_binary(path) as stream:
        data = stream.read()
    hint = "Give what mtcli bench wrote with -o."
    try:
        found = json.loads(data)
    except ValueError as error:
        raise DataError(f"{name} is no JSON, or was cut short ({error}). {hint}") from None
    if not isinstance(found, dict) or "format_version" not in found:
        raise DataError(f"{name} is not a record of mtcli bench. {hint}")
    if found["format_version"] != FORMAT_VERSION:
        raise DataError(
            f"{name} has format_version {found['format_version']!r}; this mtcli reads {FORMAT_VERSION}. "
            "Measure again, or use the mtcli that wrote it."
        )
    try:
        return BenchRecord.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the top"
        raise DataError(
            f"{name} is not a record as mtcli bench writes it: at {where}: {first['msg'].lower()}. Measure again."
        ) from None
