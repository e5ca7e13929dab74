"""The most memory that some work had at once."""

import re
from pathlib import Path

import torch

from mtcli.devices import most_resident

GIB = 2**30
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_CLEAR_PEAK = "5"  # Documentation/filesystems/proc.rst


class Peak:
    """Watches a device from when it is made or begun anew.

    On a GPU it sees what PyTorch has allocated there. On a CPU it sees what is resident of the whole process, Python
    and its libraries included; where the system cannot begin anew (other systems than Linux), since it was started.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.begin()

    def begin(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
            return
        try:
            _CLEAR.write_text(_CLEAR_PEAK)
        except OSError:  # no Linux, or a container that does not let us
            return

    @property
    def bytes(self) -> int | None:
        """None where the system does not tell."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        return _most_resident()


def _most_resident() -> int | None:
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    except OSError:
        found = None
    return 1024 * int(found[1]) if found else most_resident()
