"""What a benchmark row says about the machine it ran on, and where this environment's `mtcli` is."""

import sys
import sysconfig
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mtcli.bench.host import available_cores, cpu_name, installed_versions, memory_gib


def device_facts() -> dict[str, str | int | float]:
    """The `device` entry of a results file."""
    return {"cpu": cpu_name(), "cores": available_cores(), "memory_gib": memory_gib()}


def versions() -> dict[str, str]:
    """The `versions` entry of a results file; what is not installed is left out."""
    return installed_versions()


def opening(title: str, command: str, versions: Mapping[str, str]) -> dict[str, Any]:
    """What every results file begins with."""
    return {
        "title": title,
        "command": [command],
        "device": device_facts(),
        "versions": dict(versions),
        "date": today(),
    }


def joined_versions(by_name: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The first's versions, and those that the others add or have of their own, named after them."""
    found: dict[str, str] = {}
    for name, versions in by_name.items():
        for package, version in versions.items():
            if found.setdefault(package, version) != version:
                found[f"{package} ({name})"] = version
    return found


def today() -> str:
    """The date in UTC, ISO 8601."""
    return datetime.now(UTC).date().isoformat()


def mtcli_command() -> str:
    """The `mtcli` installed beside the running Python, as a user would start it."""
    command = Path(sysconfig.get_path("scripts")) / "mtcli"
    if not command.exists():
        sys.exit(f"{command} does not exist: run `make install` first, then this script with .venv/bin/python.")
    return str(command)
