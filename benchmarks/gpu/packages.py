"""Packages that a machine without network lacks, from a folder of wheels into build/gpu-packages.

Nothing is installed but what is missing or too old, each alone, without the packages it names: a PyTorch or Triton
that is there stays, whatever a wheel asks for. Uses the standard library and what pip brings.
"""

import importlib
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

NEVER_INSTALLED = ("torch", "triton")
OF_TESTS = ("pytest", "hypothesis")


def requirements_of(root: Path, needs: str) -> list[str]:
    """What a stage needs of pyproject.toml, by `Stage.needs`."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core: list[str] = project["dependencies"]
    if needs == "torch":
        return [text for text in core if _parsed(text).name in ("torch", "triton", "numpy")]
    if needs == "project":
        return core
    return core + [text for text in project["optional-dependencies"]["dev"] if _parsed(text).name in OF_TESTS]


def missing(requirements: list[str]) -> list[str]:
    """Those that this Python does not have, or not in the version asked for."""
    return [text for text in requirements if _applies(text) and not _is_met(_parsed(text))]


def install(requirements: list[str], wheels: Path, target: Path) -> list[str]:
    """Install what is missing, and what that needs in turn.

    Returns:
        What the folder of wheels could not supply.
    """
    sys.path.insert(0, str(target))
    waiting, refused = missing(requirements), []
    tried: set[str] = set()
    while waiting:
        text = waiting.pop(0)
        name = _parsed(text).name
        if name in tried or _is_met(_parsed(text)):
            continue
        tried.add(name)
        if name in NEVER_INSTALLED or not _pip_install(text, wheels, target):
            refused.append(text)
            continue
        importlib.invalidate_caches()
        waiting += missing(metadata.requires(name) or [])
    return refused


def _pip_install(requirement: str, wheels: Path, target: Path) -> bool:
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"),
        *("--no-index", "--find-links", str(wheels), "--no-deps", "--upgrade", "--target", str(target), requirement),
    ]
    return subprocess.run(command, stdout=sys.stderr).returncode == 0


def _is_met(requirement: Any) -> bool:
    try:
        found = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return False
    # A local build such as 2.11.0+cu130 counts as the version it is of.
    return bool(requirement.specifier.contains(found, prereleases=True))


def _applies(text: str) -> bool:
    marker = _parsed(text).marker
    return marker is None or bool(marker.evaluate({"extra": ""}))


def _parsed(text: str) -> Any:
    """A requirement as the `packaging` package reads it; pip carries a copy of that."""
    for module in ("packaging.requirements", "pip._vendor.packaging.requirements"):
        try:
            return importlib.import_module(module).Requirement(text.partition(" #")[0])
        except ImportError:
            continue
    sys.exit("This Python has neither the package `packaging` nor pip; name another: make gpu PYTHON=python3.12")
