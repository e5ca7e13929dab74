"""Whether a GPU may be there, told without PyTorch, whose import takes seconds."""

import ctypes
import sys
from functools import cache
from pathlib import Path

_CUDA_DRIVERS = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}
_AMD_DRIVER = Path("/dev/kfd")


@cache
def may_have_gpu() -> bool:
    """Tell whether PyTorch should be asked for a GPU: not where no driver is there, or one that sees no device."""
    return _AMD_DRIVER.exists() or num_cuda_devices() > 0


def num_cuda_devices() -> int:
    """Count the devices that the CUDA driver shows; 0 where it is not there or does not start."""
    if sys.platform not in _CUDA_DRIVERS:
        return 0
    try:
        driver = ctypes.CDLL(_CUDA_DRIVERS[sys.platform])
        count = ctypes.c_int()
        started = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    except (OSError, AttributeError):  # no such library, or another one of this name
        return 0
    return count.value if started else 0
