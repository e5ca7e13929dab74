"""The most memory that some work had at once."""

import contextlib
import re
from pathlib import Path

import torch

from mtcli.devices import most_resident

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_CLEAR_PEAK = "5"  # Documentation/filesystems/proc.rst


class Peak:
    """Watches a device from when it is made.

    On a GPU it sees what PyTorch has allocated there. On a CPU it sees what is resident of the whole process, Python
    and its libraries included; where the system cannot begin anew (other systems than Linux), since it was started.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        else:
            with contextlib.suppress(OSError):  # no Linux, or a container that does not let us
                _CLEAR.write_text(_CLEAR_PEAK)

    @property
    def bytes(self) -> int | None:
        """None where the system does not tell."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        with contextlib.suppress(OSError):
            if found := re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(encoding="utf-8"), flags=re.MULTILINE):
                return 1024 * int(found[1])
        return most_resident()
