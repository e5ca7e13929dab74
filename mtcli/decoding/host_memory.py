"""How much of this machine's memory can still be had."""

from pathlib import Path


def free_memory() -> int | None:
    """Tell the bytes that this process can still take; None where the system does not say."""
    known = [value for value in (_available(), _left_in_control_group()) if value is not None]
    return min(known, default=None)


def _available() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        [line] = [line for line in lines if line.startswith("MemAvailable:")]
        return 1024 * int(line.split()[1])
    except (OSError, ValueError):
        return None


def _left_in_control_group() -> int | None:
    """What a container may still take (cgroup v2)."""
    group = Path("/sys/fs/cgroup")
    try:
        return int((group / "memory.max").read_text()) - int((group / "memory.current").read_text())
    except (OSError, ValueError):  # no such group, or "max": no limit
        return None
