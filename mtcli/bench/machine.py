"""The device that is measured, and the versions of what runs on it."""

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import torch

from mtcli import __version__
from mtcli.bench import host
from mtcli.bench.settings import BenchSettings

if TYPE_CHECKING:
    from mtcli.bench.record.schema import Device


def device(settings: BenchSettings) -> "Device":
    """The GPU or the processor, and the machine it is in."""
    from mtcli.bench.record.schema import Device  # here, so that `versions` needs no pydantic

    name = host.cpu_name()
    found = Device(
        kind="cpu",
        name=name,
        cpu=name,
        cores=host.available_cores(),
        memory_gib=host.memory_gib(),
        threads=torch.get_num_threads(),
    )
    if not settings.on_gpu:
        return found
    properties = torch.cuda.get_device_properties(settings.torch_device)
    memory = round(properties.total_memory / 2**30, 1)
    driver = host.query_nvidia_smi("driver_version").get("driver_version")  # one for all GPUs
    of_gpu = {"kind": "cuda", "name": properties.name, "gpu_memory_gib": memory, "driver": driver}
    return found.model_copy(update=of_gpu)


def versions() -> dict[str, str]:
    """mtcli's, Python's and PyTorch's versions, and Triton's, CUDA's and cuDNN's where they are there."""
    found = host.installed_versions() | {"mtcli": __version__, "torch": torch.__version__}
    if torch.version.cuda:
        found["cuda"] = torch.version.cuda
    if torch.backends.cudnn.is_available():
        found["cudnn"] = str(torch.backends.cudnn.version())
    return found


def current_device(settings: BenchSettings) -> AbstractContextManager[Any]:
    """A context in which streams, events and memory are those of the GPU that was asked for."""
    return torch.cuda.device(settings.torch_device) if settings.on_gpu else nullcontext()
