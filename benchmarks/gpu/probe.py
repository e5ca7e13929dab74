"""What the machine is: python -m benchmarks.gpu.probe prints it as JSON. A process of its own, so that the driver needs no GPU."""

import json
from typing import Any

import torch

from benchmarks.contest.machine import device_facts
from mtcli.bench.host import cpu_name, memory_gib, query_nvidia_smi
from mtcli.bench.machine import versions

CLOCKS = ("clocks.sm", "clocks.mem", "clocks.max.sm", "clocks.max.mem", "power.draw", "power.limit", "temperature.gpu")


def gpu_facts() -> dict[str, Any]:
    """The `device` entry of a results file for the first GPU."""
    properties = torch.cuda.get_device_properties(0)
    return {
        "gpu": properties.name,
        "capability": f"{properties.major}.{properties.minor}",
        "multiprocessors": properties.multi_processor_count,
        "memory_gib": round(properties.total_memory / 2**30, 1),
        "l2_mib": round(getattr(properties, "L2_cache_size", 0) / 2**20),
        "driver": query_nvidia_smi("driver_version").get("driver_version", "unknown"),
        "cpu": cpu_name(),
        "host_memory_gib": memory_gib(),
    }


def why_no_gpu() -> str | None:
    """A clause when PyTorch sees no CUDA device."""
    if torch.version.cuda is None:
        return f"this PyTorch ({torch.__version__}) is not built for CUDA"
    if not torch.cuda.is_available():
        return f"PyTorch {torch.__version__} finds no CUDA device"
    return None


def main() -> None:
    reason = why_no_gpu()
    device = device_facts() if reason else gpu_facts()
    print(json.dumps({"no_gpu": reason, "device": device, "versions": versions()}))


if __name__ == "__main__":
    main()
