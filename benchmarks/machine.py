"""What a benchmark row says about the machine it ran on, and where this environment's `mtcli` is."""

import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

DISTRIBUTIONS = {"mtcli": "mtcli-nmt", "torch": "torch", "triton": "triton"}


def cpu_name() -> str:
    """The processor's name as the system gives it."""
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def available_cores() -> int:
    """Cores this process may run on: fewer than the machine's under `taskset` and in most containers."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_gib() -> float:
    """Physical memory in GiB, to one decimal."""
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)


def device_facts() -> dict[str, str | int | float]:
    """The `device` entry of a results file."""
    return {"cpu": cpu_name(), "cores": available_cores(), "memory_gib": memory_gib()}


def versions() -> dict[str, str]:
    """The `versions` entry of a results file; what is not installed is left out."""
    found = {"python": platform.python_version()}
    for name, distribution in DISTRIBUTIONS.items():
        try:
            found[name] = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return found


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
