"""The machine and what is installed on it."""

import importlib.metadata
import importlib.util
import locale
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mtcli import __version__
from mtcli.accelerators import num_cuda_devices
from mtcli.bench import host
from mtcli.doctor.findings import Finding, Status
from mtcli.model_directory.library import installed
from mtcli.processors import available_cpus
from mtcli_native import load

_LEAST_MEMORY, _LEAST_DISK = 2.0, 1.0  # GiB
_LIMITS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_EXTRAS = {
    "documents": ("markdown_it", "yaml"),
    "serve": ("starlette", "uvicorn", "multipart", "prometheus_client", "py3langid"),
    "viz": ("matplotlib",),
    "ct2": ("ctranslate2",),
    "zstd": ("zstandard",),
}


def examine() -> Iterator[Finding]:
    """Look at versions, processor, memory, disk, locale, GPUs, extras and models."""
    yield Finding("versions", Status.OK, ", ".join(_versions()))
    yield _processor()
    yield _kernels()
    yield _memory()
    yield from _disks()
    yield _locale()
    yield from _limits()
    yield _gpus()
    yield _extras()
    yield _models()


def _versions() -> Iterator[str]:
    yield f"mtcli {__version__}"
    yield f"Python {sys.version.split()[0]}"
    for name in ("torch", "triton", "sentencepiece", "numpy", "llvmlite"):
        try:
            yield f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            yield f"no {name}"


def _processor() -> Finding:
    usable, all_of_them = available_cpus(), os.cpu_count() or 1
    few = f", of {all_of_them} that it has" if usable < all_of_them else ""
    return Finding("processor", Status.OK, f"{host.cpu_name()}, {usable} processors for this process{few}")


def _kernels() -> Finding:
    if obstacle := load.obstacle():
        return Finding(
            "native kernels",
            Status.NOTE,
            obstacle,
            "PyTorch decodes instead, more slowly: pip install numba compiles them.",
        )
    return Finding("native kernels", Status.OK, load.describe())


def _memory() -> Finding:
    total = host.memory_gib()
    if total and total < _LEAST_MEMORY:
        return Finding("memory", Status.NOTE, f"{total} GiB", "Translate with small models; train elsewhere.")
    return Finding("memory", Status.OK, f"{total} GiB" if total else "the system does not say")


def _disks() -> Iterator[Finding]:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for subject, path in (("temporary files", Path(tempfile.gettempdir())), ("cache", cache)):
        place = next(folder for folder in (path, *path.parents) if folder.exists())
        free = shutil.disk_usage(place).free / 2**30
        if not os.access(place, os.W_OK):
            yield Finding(
                subject, Status.WRONG, f"{place} cannot be written", "Name another with TMPDIR, XDG_CACHE_HOME."
            )
        elif free < _LEAST_DISK:
            yield Finding(subject, Status.WRONG, f"{free:.1f} GiB free in {place}", "Make room there.")
        else:
            yield Finding(subject, Status.OK, f"{free:.0f} GiB free in {place}")


def _locale() -> Finding:
    encoding = locale.getpreferredencoding(False)
    if encoding.lower().replace("-", "") != "utf8":
        return Finding(
            "locale",
            Status.NOTE,
            f"text is {encoding}",
            "mtcli reads and writes UTF-8 all the same; LANG=C.UTF-8 helps others.",
        )
    return Finding("locale", Status.OK, encoding)


def _limits() -> Iterator[Finding]:
    for name in _LIMITS:
        if (value := os.environ.get(name, "")).isdecimal() and int(value) < available_cpus():
            yield Finding(
                "threads", Status.NOTE, f"{name} is {value}", f"Unset it, so that PyTorch takes all: unset {name}."
            )


def _gpus() -> Finding:
    import torch

    driver = host.query_nvidia_smi("name", "driver_version")
    built_for = torch.version.cuda or torch.version.hip
    if count := num_cuda_devices():
        names = ", ".join(torch.cuda.get_device_name(number) for number in range(count))
        return Finding("GPU", Status.OK, f"{names}; driver {driver.get('driver_version', 'unknown')}, CUDA {built_for}")
    if driver and not built_for:
        return Finding(
            "GPU",
            Status.WRONG,
            f"{driver.get('name', 'a GPU')} is there, and PyTorch is built for processors alone",
            "Install its CUDA build: https://pytorch.org/get-started tells how.",
        )
    if driver:
        return Finding(
            "GPU", Status.WRONG, f"{driver.get('name', 'a GPU')} is there, and PyTorch finds none", "Update its driver."
        )
    return Finding("GPU", Status.OK, "none; everything runs on the processor")


def _extras() -> Finding:
    missing = [
        name for name, modules in _EXTRAS.items() if not all(importlib.util.find_spec(module) for module in modules)
    ]
    if missing:
        return Finding(
            "extras", Status.NOTE, f"not installed: {', '.join(missing)}", f"pip install 'mtcli-nmt[{missing[0]}]'"
        )
    return Finding("extras", Status.OK, ", ".join(_EXTRAS))


def _models() -> Finding:
    return Finding("models", Status.OK, ", ".join(model.name for model in installed()))
