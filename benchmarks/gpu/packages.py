"""Packages that a machine without network lacks, from a folder of wheels into build/gpu-packages.

Each wheel goes alone, without the packages that it names: a PyTorch or Triton that is there stays. Uses the standard
library and pip.
"""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from benchmarks.contest.machine import ROOT

PLACE = ROOT / "build" / "gpu-packages"
NEVER_INSTALLED = ("torch", "triton")
OF_TESTS = ("pytest", "hypothesis")


def missing() -> list[str]:
    """Return the distributions of pyproject.toml, and those of the tests, that this Python does not have."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[\s<>=!~;\[]", text)[0] for text in project["dependencies"]]
    return [name for name in (*names, *OF_TESTS) if not _is_there(name)]


def install(wheels: Path) -> None:
    """Install every wheel whose distribution is not there; what pip refuses is said on stderr."""
    for wheel in sorted(wheels.glob("*.whl")):
        name = wheel.name.split("-")[0].replace("_", "-").lower()
        if name not in NEVER_INSTALLED and not _is_there(name):
            options = ("--quiet", "--disable-pip-version-check", "--no-cache-dir", "--no-index", "--no-deps")
            command = [sys.executable, "-m", "pip", "install", *options, "--target", str(PLACE), str(wheel)]
            subprocess.run(command, stdout=sys.stderr)


def _is_there(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
