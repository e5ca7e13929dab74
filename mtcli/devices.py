"""Which device and number type a command runs on, and why."""

import re

import torch

from mtcli.data.prepare import available_cpus
from mtcli.errors import BackendUnavailableError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def resolve_device(name: str) -> torch.device:
    """`auto`, `cpu`, `cuda` or `cuda:N` as a device; auto takes the first GPU, else the CPU.

    Raises:
        BackendUnavailableError: the device is not on this machine, or the name is none of these.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    if not re.fullmatch(r"cuda(:\d+)?", name):
        raise BackendUnavailableError(f"There is no device {name!r}. Expected auto, cpu, cuda or cuda:N.")
    found = torch.cuda.device_count()
    index = int(name.partition(":")[2] or 0)
    if index >= found:
        seen = f"this machine shows {found} CUDA device(s)" if found else "PyTorch finds no CUDA device here"
        raise BackendUnavailableError(f"--device {name}: {seen}. Use --device cpu, or check the driver (nvidia-smi).")
    return torch.device(name)


def resolve_dtype(name: str, device: torch.device) -> torch.dtype:
    """The number type of matrix products: `auto` is bfloat16 where the hardware multiplies it faster.

    That is on CUDA from sm_80 on, and on CPUs with AMX tiles; elsewhere float32.

    Raises:
        BackendUnavailableError: float16 on a CPU, or bfloat16 on a GPU without it.
    """
    if name == "auto":
        return torch.bfloat16 if _multiplies_bfloat16(device) else torch.float32
    if name not in DTYPES:
        raise BackendUnavailableError(f"There is no dtype {name!r}. Expected auto, {', '.join(DTYPES)}.")
    if name == "float16" and device.type == "cpu":
        raise BackendUnavailableError("float16 is not supported on a CPU. Use --dtype float32 or bfloat16.")
    if name == "bfloat16" and device.type == "cuda" and not _multiplies_bfloat16(device):
        raise BackendUnavailableError(f"{torch.cuda.get_device_name(device)} has no bfloat16. Use --dtype float32.")
    return DTYPES[name]


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return bool(torch.cpu._is_amx_tile_supported())


def prepare_cpu() -> None:
    """Use the processors this process may use, and flush denormal numbers, which are many times slower."""
    torch.set_num_threads(available_cpus())
    torch.set_flush_denormal(True)


def dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def describe(device: torch.device, dtype: torch.dtype) -> str:
    """One phrase for logs, such as `cpu (2 threads), float32`."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)}), {dtype_name(dtype)}"
    return f"cpu ({torch.get_num_threads()} threads), {dtype_name(dtype)}"
