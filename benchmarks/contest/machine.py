"""The machine that something was measured on, what was installed, and where results go."""

import json
import math
import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.contest.records import Result
from mtcli.bench.host import available_cores, cpu_name, installed_versions, memory_gib, query_nvidia_smi

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
_ASK_VERSIONS = """
import json, platform, sys
from importlib import metadata
print(json.dumps({"python": platform.python_version(), **{name: metadata.version(name) for name in sys.argv[1:]}}))
"""


def opening(
    title: str, command: str | Sequence[str], *, device: str = "cpu", versions: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return what every results file begins with; versions are mtcli's own where none are given."""
    return {
        "title": title,
        "command": [command] if isinstance(command, str) else list(command),
        "device": device_facts(device),
        "versions": dict(installed_versions() if versions is None else versions),
        "date": datetime.now(UTC).date().isoformat(),
        "rehearsal": "TRITON_INTERPRET" in os.environ,
    }


def torch_device(device: str) -> str:
    """Return where PyTorch runs: a rehearsal's GPU is the CPU."""
    return "cpu" if "TRITON_INTERPRET" in os.environ else device


def device_facts(device: str = "cpu") -> dict[str, str | int | float]:
    """Return the `device` entry of a results file."""
    found: dict[str, str | int | float] = {"cpu": cpu_name(), "cores": available_cores(), "memory_gib": memory_gib()}
    if device.startswith("cuda"):
        asked = query_nvidia_smi("name", "driver_version")
        found |= {"gpu": asked.get("name", "unknown"), "driver": asked.get("driver_version", "unknown")}
    return found


def versions_on(python: str, packages: Sequence[str]) -> dict[str, str]:
    """Return the versions of these distributions, and the interpreter's own.

    Raises:
        ValueError: it lacks one, or cannot be run.
    """
    try:
        asked = subprocess.run([python, "-c", _ASK_VERSIONS, *packages], capture_output=True, text=True, check=True)
    except OSError as error:
        raise ValueError(f"{python} cannot be run: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        raise ValueError(f"{python} lacks one of {', '.join(packages)}") from error
    found: dict[str, str] = json.loads(asked.stdout)
    return found


def joined_versions(by_name: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the first's versions, and those that the others add or have of their own, named after them."""
    found: dict[str, str] = {}
    for name, versions in by_name.items():
        for package, version in versions.items():
            if found.setdefault(package, version) != version:
                found[f"{package} ({name})"] = version
    return found


def package_path() -> dict[str, str]:
    """Return the variables with which another Python finds the checkout's packages."""
    given = os.environ.get("PYTHONPATH")
    places = [str(ROOT), str(ROOT / "kernels"), *([given] if given else [])]
    return {"PYTHONPATH": os.pathsep.join(places)}


def mtcli_command() -> str:
    """Return the `mtcli` installed beside the running Python, as a user would start it.

    Exits when there is none.
    """
    command = Path(sysconfig.get_path("scripts")) / "mtcli"
    if not command.exists():
        sys.exit(f"{command} does not exist: run `make install` first, then this with .venv/bin/python.")
    return str(command)


def mtcli_words() -> list[str]:
    """Return how to start mtcli: its command, or the module where it is not installed."""
    command = Path(sysconfig.get_path("scripts")) / "mtcli"
    return [str(command)] if command.exists() else [sys.executable, "-m", "mtcli"]


def save(result: Result, path: Path, *, quiet: bool = False) -> None:
    """Write a results file, beside and renamed, with floats of five significant digits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    content = json.dumps(_rounded(result.model_dump(exclude_defaults=True)), indent=1, ensure_ascii=False)
    beside.write_text(content + "\n", encoding="utf-8")
    beside.replace(path)
    if not quiet:
        print(f"wrote {path}; now run: make report", file=sys.stderr)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, list | tuple) else value
