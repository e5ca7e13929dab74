"""What the machine and its Python are, as far as that can be told without PyTorch and other packages."""

import contextlib
import os
import platform
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

DISTRIBUTIONS = {"mtcli": "mtcli-nmt", "torch": "torch", "triton": "triton"}
_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


def cpu_name() -> str:
    """The processor's name as the system gives it."""
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, flags=re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def available_cores() -> int:
    """Cores this process may run on: fewer than the machine's under `taskset` and in most containers."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int:
    """Physical memory; 0 where the system does not say."""
    if not hasattr(os, "sysconf"):
        return 0
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def memory_gib() -> float:
    """Physical memory in GiB, to one decimal."""
    return round(memory_bytes() / 2**30, 1)


def cache_bytes() -> int:
    """Size of the processor's largest cache; 0 where the system does not say."""
    sizes = [path.read_text(encoding="ascii").strip() for path in _CACHES.glob("index*/size")]
    return max((int(size.rstrip("KMG")) * _UNITS.get(size[-1], 1) for size in sizes), default=0)


def query_nvidia_smi(*fields: str) -> dict[str, str]:
    """What nvidia-smi says of the first GPU, by field; empty where it is not installed or refuses."""
    if shutil.which("nvidia-smi") is None:
        return {}
    command = ["nvidia-smi", "--id=0", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except subprocess.TimeoutExpired:
        return {}
    values = [value.strip() for value in answer.stdout.strip().split(",")]
    return dict(zip(fields, values, strict=True)) if len(values) == len(fields) and not answer.returncode else {}


def installed_versions() -> dict[str, str]:
    """Python's, mtcli's, torch's and triton's versions; what is not installed is left out."""
    found = {"python": platform.python_version()}
    for name, distribution in DISTRIBUTIONS.items():
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(distribution)
    return found
