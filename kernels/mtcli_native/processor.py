"""What the processor at hand can do. Nothing here imports numba; LLVM is asked only where the system tells nothing."""

import contextlib
import ctypes
import platform
import sys
from functools import cache
from pathlib import Path

_MATRICES = frozenset({"amxtile", "amxint8", "amxbf16"})
_ASK_FOR_STATE, _MATRIX_STATE = 0x1023, 18  # Linux: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)
_ARCH_PRCTL = 158  # on x86-64
_OTHER_NAMES = {"neon": "asimd", "dotprod": "asimddp"}  # LLVM's names of what /proc/cpuinfo calls otherwise


@cache
def flags() -> frozenset[str]:
    """Flags of what this process may use of the processor, as `plain` writes them; empty where none can be found."""
    found = _flags_of_processor()
    return found if found.isdisjoint(_MATRICES) or _may_use_matrices() else found - _MATRICES


def _may_use_matrices() -> bool:
    """Ask the system for matrix registers, which it gives to processes that ask alone: they are large."""
    if sys.platform != "linux":
        return False
    with contextlib.suppress(OSError, AttributeError):
        return bool(ctypes.CDLL(None).syscall(_ARCH_PRCTL, _ASK_FOR_STATE, _MATRIX_STATE) == 0)
    return False


def _flags_of_processor() -> frozenset[str]:
    if sys.platform == "linux":
        return flags_of_cpuinfo(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace"))
    if sys.platform == "darwin":
        return _flags_of_macos()
    from llvmlite import binding

    return plain(*(name for name, has in binding.get_host_cpu_features().items() if has))


def machine() -> str:
    """The architecture, in lower case."""
    return platform.machine().lower()


def plain(*names: str) -> frozenset[str]:
    """Names of flags in one spelling: small letters and digits alone, since systems write avx512_vnni in many ways."""
    kept = ("".join(letter for letter in name.lower() if letter.isalnum()) for name in names)
    return frozenset(_OTHER_NAMES.get(name, name) for name in kept)


def flags_of_cpuinfo(text: str) -> frozenset[str]:
    """Flags that every processor in a text like /proc/cpuinfo has."""
    lines = (line.partition(":") for line in text.splitlines())
    found = [plain(*value.split()) for name, _, value in lines if name.strip() in ("flags", "Features")]
    return frozenset.intersection(*found) if found else frozenset()


def _flags_of_macos() -> frozenset[str]:
    if machine() == "arm64":  # every Apple processor that macOS runs on multiplies vectors, and bytes by dot products
        return frozenset({"asimd", "asimddp"})
    names = (_sysctl(name) for name in ("machdep.cpu.features", "machdep.cpu.leaf7_features"))
    return plain(*(flag for text in names for flag in text.split()))


def _sysctl(name: str) -> str:
    """A text that the system's kernel tells; empty where it knows none of this name."""
    buffer = ctypes.create_string_buffer(4096)
    size = ctypes.c_size_t(len(buffer))
    if ctypes.CDLL(None).sysctlbyname(name.encode(), buffer, ctypes.byref(size), None, 0):
        return ""
    return buffer.value.decode(errors="replace")
