"""The statistics of a file job, as `--stats` writes them."""

import importlib.metadata
import json
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from mtcli import __version__
from mtcli.config import DecodingConfig
from mtcli.files import display_name
from mtcli.formats.reader import Reader
from mtcli.jobs.tally import Tally


def statistics(
    tally: Tally, reader: Reader, device: Mapping[str, Any], options: DecodingConfig, load_seconds: float
) -> dict[str, Any]:
    """Gather counts, times in seconds, and what they were measured on: `device` is what `Backend.record` gives."""
    seconds = tally.seconds
    return {
        "inputs": [display_name(path) for path in reader.paths],
        "lines": tally.lines,
        "resumed_lines": tally.resumed_lines,
        "blank_lines": tally.blank_lines,
        "distinct_lines": len(tally.distinct or ()),
        "replaced_lines": reader.replaced,
        "split_lines": tally.split_lines,
        "repaired_lines": tally.repaired,
        "flagged_lines": tally.flagged,
        "parts": tally.parts,
        "decoded_parts": tally.decoded_parts,
        "source_tokens": tally.source_tokens,
        "target_tokens": tally.target_tokens,
        "seconds": round(seconds, 3),
        "load_seconds": round(load_seconds, 3),
        "lines_per_second": round(tally.lines / seconds, 1),
        "target_tokens_per_second": round(tally.tokens_per_second, 1),
        **device,
        "decoding": options.model_dump(),
        "versions": _versions(("torch", "triton", "sentencepiece", "safetensors")),
    }


def to_json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=True) + "\n").encode()


def _versions(packages: Sequence[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {"mtcli": __version__, "python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found
