"""Which device and number type a command runs on, and why."""

import functools
import logging
import math
import os
import platform
import re
import sys
import time

import torch

from mtcli.errors import BackendUnavailableError
from mtcli.processors import available_cpus

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_TRIED_SIZE, _TRIED_SECONDS = 512, 0.05
# Of how much faster bfloat16 multiplies: with instructions for it twice and more, without a tenth, so that no
# disturbance turns the answer.
_WORTH_IT = 1.25
_log = logging.getLogger(__name__)


def resolve_device(name: str) -> torch.device:
    """`auto`, `cpu`, `cuda` or `cuda:N` as a device; auto takes the first GPU, else the CPU.

    Raises:
        BackendUnavailableError: the device is not on this machine, cannot be used, or the name is none of these.
    """
    if name == "cpu":
        return torch.device("cpu")
    if name == "auto":
        return _first_usable()
    if not re.fullmatch(r"cuda(:[0-9]+)?", name):
        raise BackendUnavailableError(f"There is no device {name!r}. Expected auto, cpu, cuda or cuda:N.")
    if torch.version.cuda is None and torch.version.hip is None:
        raise BackendUnavailableError(
            f"--device {name}: this PyTorch ({torch.__version__}) is built for CPUs alone. Use --device cpu, or "
            "install a PyTorch with CUDA (https://pytorch.org/get-started)."
        )
    found = torch.cuda.device_count()
    index = int(name.partition(":")[2] or 0)
    if index >= found:
        seen = f"this machine shows {found} CUDA device(s)" if found else "PyTorch finds no CUDA device here"
        raise BackendUnavailableError(f"--device {name}: {seen}. Use --device cpu, or check the driver (nvidia-smi).")
    if reason := _why_unusable(index):
        raise BackendUnavailableError(f"--device {name}: {reason} Use --device cpu, or another GPU.")
    return torch.device(name)


def _first_usable() -> torch.device:
    if not torch.cuda.is_available():
        return torch.device("cpu")
    if reason := _why_unusable(0):
        _log.warning("Running on the CPU: %s", reason)
        return torch.device("cpu")
    return torch.device("cuda")


def _why_unusable(index: int) -> str | None:
    """A sentence when the GPU is there and will not do: its driver, or its age."""
    try:
        torch.cuda.init()
        capability = torch.cuda.get_device_capability(index)
    except RuntimeError as error:  # "The NVIDIA driver on your system is too old (found version 11040). ..."
        said = str(error).strip().partition("\n")[0].removesuffix(".")
        return f"CUDA does not start: {said}."
    built_for = torch.cuda.get_arch_list()
    if _runs(capability, built_for):
        return None
    return (
        f"{torch.cuda.get_device_name(index)} (sm_{capability[0]}{capability[1]}) is not one of those that this "
        f"PyTorch ({torch.__version__}) is built for: {', '.join(built_for)}."
    )


def _runs(capability: tuple[int, int], built_for: list[str]) -> bool:
    """Whether code built for these architectures runs on a GPU of this compute capability.

    Machine code (sm_XY) runs on the same major version from its minor one on; PTX (compute_XY) on all later ones.
    A list that names neither (ROCm's) is not judged.
    """
    kinds = [re.fullmatch(r"(sm|compute)_([0-9]+)([0-9])[a-z]?", name) for name in built_for]
    targets = [(kind[1], int(kind[2]), int(kind[3])) for kind in kinds if kind]
    return not targets or any(
        (major, minor) <= capability and (kind == "compute" or major == capability[0]) for kind, major, minor in targets
    )


def resolve_dtype(name: str, device: torch.device) -> torch.dtype:
    """The number type of matrix products: `auto` is bfloat16 where the hardware multiplies it faster.

    That is on CUDA from sm_80 on. A CPU is asked: both types multiply for some 50 ms, once a process.

    Raises:
        BackendUnavailableError: float16 on a CPU, or bfloat16 on a GPU without it.
    """
    if name == "auto":
        return torch.bfloat16 if _multiplies_bfloat16(device) else torch.float32
    if name == "int8":
        raise BackendUnavailableError(
            "--dtype int8: PyTorch computes in floating point here; the native engine of mtcli translate has int8. Use "
            f"one of auto, {', '.join(DTYPES)}."
        )
    if name not in DTYPES:
        raise BackendUnavailableError(f"There is no dtype {name!r}. Expected one of auto, {', '.join(DTYPES)}.")
    if name == "float16" and device.type == "cpu":
        raise BackendUnavailableError("--dtype float16 is not supported on a CPU. Use --dtype float32 or bfloat16.")
    if name == "bfloat16" and device.type == "cuda" and not _multiplies_bfloat16(device):
        raise BackendUnavailableError(
            f"--dtype bfloat16: {torch.cuda.get_device_name(device)} has none. Use --dtype float32 or float16."
        )
    return DTYPES[name]


def decoding_dtype(name: str, device: torch.device) -> torch.dtype:
    """The same for translation, where `auto` on CUDA is float16: bfloat16 logits are so coarse that they tie.

    Raises:
        BackendUnavailableError: as `resolve_dtype`.
    """
    return torch.float16 if name == "auto" and device.type == "cuda" else resolve_dtype(name, device)


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return _times_faster_in_bfloat16() > _WORTH_IT


@functools.cache
def _times_faster_in_bfloat16() -> float:
    """How many times as fast this processor multiplies in bfloat16 as in float32, each at its best of some turns.

    One without instructions for it computes the same in several steps: some hundredths then, and one turn suffices.
    """
    best = {torch.float32: math.inf, torch.bfloat16: math.inf}
    matrices = {dtype: torch.ones(_TRIED_SIZE, _TRIED_SIZE, dtype=dtype) for dtype in best}
    began, turns = time.perf_counter(), 0
    while turns < 2 or time.perf_counter() - began < _TRIED_SECONDS:
        for dtype, matrix in matrices.items():
            started = time.perf_counter()
            matrix @ matrix
            if turns:  # the first prepares
                best[dtype] = min(best[dtype], time.perf_counter() - started)
        turns += 1
    return best[torch.float32] / best[torch.bfloat16]


def prepare_cpu() -> None:
    """Use the processors this process may use, and flush denormal numbers, which are many times slower.

    Keep the machine code of few products: batches of training are of ever new shapes, and what oneDNN keeps of 1,024
    shapes were gigabytes. It reads the variable at its first product.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")
    torch.set_num_threads(available_cpus())
    torch.set_flush_denormal(True)


def most_resident() -> int | None:
    """Bytes: the most that was resident of this process in its life; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def name_of_device(device: str) -> str:
    """The GPU's name, or the machine's kind of processor."""
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else platform.machine()


def num_threads() -> int:
    """Threads that PyTorch divides an operation among on a CPU."""
    return torch.get_num_threads()


def describe(device: torch.device, dtype: torch.dtype) -> str:
    """One phrase for logs, such as `cpu (2 threads), float32`."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)}), {dtype_name(dtype)}"
    return f"cpu ({torch.get_num_threads()} threads), {dtype_name(dtype)}"
