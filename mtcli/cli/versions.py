"""What `mtcli --version` prints."""

import importlib.metadata
import platform

import torch

from mtcli import __version__


def version_lines() -> list[str]:
    """mtcli's, Python's, torch's and triton's versions, and the devices torch sees."""
    try:
        triton = importlib.metadata.version("triton")
    except importlib.metadata.PackageNotFoundError:
        triton = "not installed"
    devices = [f"cuda:{index} {torch.cuda.get_device_name(index)}" for index in range(torch.cuda.device_count())]
    return [
        f"mtcli {__version__}",
        f"python {platform.python_version()}",
        f"torch {torch.__version__}",
        f"triton {triton}",
        "devices: " + ", ".join(["cpu", *devices]),
    ]
