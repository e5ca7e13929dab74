"""What `mtcli --version` prints."""

import torch

from mtcli.bench.machine import versions
from mtcli_native import load


def version_lines() -> list[str]:
    """List the versions of mtcli, Python, torch and triton, the CPU's kernels, and the devices that torch sees."""
    found = versions()
    devices = [f"cuda:{index} {torch.cuda.get_device_name(index)}" for index in range(torch.cuda.device_count())]
    return [
        *(f"{name} {found.get(name, 'not installed')}" for name in ("mtcli", "python", "torch", "triton")),
        f"native kernels: {load.describe()}",
        "devices: " + ", ".join(["cpu", *devices]),
    ]
