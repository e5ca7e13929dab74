"""What a compiled kernel needs and uses, read from the code a GPU would load.

`cuobjdump` and `ptxas` travel in Triton's wheel. The registers and the local memory come from the machine code
itself and not from a second run of `ptxas`, whose options would have to be Triton's own: they change both numbers.
"""

import hashlib
import json
import os
import re
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import triton
from triton.backends.nvidia.compiler import get_ptxas

TOOLS = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Resources of one thread, and the number of tensor-core instructions.

    Attributes:
        regs: registers.
        spill_bytes: stack and local memory; a kernel needs none unless values do not fit in its registers.
        hmma: tensor-core instructions as sm_80 has them, a warp each (mma.sync in PTX).
        hgmma: those of sm_90, four warps together (wgmma in PTX), or of sm_100 in their place (tcgen05.mma).
    """

    regs: int
    spill_bytes: int
    hmma: int
    hgmma: int


def facts(cubin: bytes, ptx: str, arch: int, cache: Path) -> Facts:
    """The facts about one kernel.

    Args:
        cubin: its machine code.
        ptx: the assembly that was made from; read only where the wheel lacks `cuobjdump`.
        arch: compute capability it was compiled for, as 80 or 90.
        cache: a folder that keeps the answers, by the machine code and the code of this module.
    """
    key = hashlib.sha256(cubin + Path(__file__).read_bytes()).hexdigest()
    file = cache / f"{key}.json"
    if file.exists():
        return Facts(**json.loads(file.read_text()))
    found = _from_machine_code(cubin) if (TOOLS / "cuobjdump").exists() else _from_ptx(ptx, arch)
    cache.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(asdict(found)))
    partial.replace(file)
    return found


def fma_dots(ttgir: str) -> int:
    """How many `tl.dot` of a kernel became ordinary multiplications, by Triton's GPU intermediate code.

    The result of a dot on tensor cores has an `#mma` layout; a `#blocked` one is computed by each thread alone.
    """
    return len(re.findall(r"= tt\.dot .*-> tensor<[^>]*#blocked", ttgir))


def ptxas_version(arch: int) -> str:
    """The version of the assembler that Triton takes for a compute capability."""
    return str(get_ptxas(arch).version)


def _from_machine_code(cubin: bytes) -> Facts:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "kernel.cubin"
        file.write_bytes(cubin)
        listing = _run(str(TOOLS / "cuobjdump"), "-res-usage", "-sass", str(file))
    usage = re.findall(r"REG:(\d+) STACK:(\d+) SHARED:\d+ LOCAL:(\d+)", listing)
    return Facts(
        regs=max(int(regs) for regs, _, _ in usage),
        spill_bytes=sum(int(stack) + int(local) for _, stack, local in usage),
        hmma=len(re.findall(r"\bHMMA\b", listing)),
        hgmma=len(re.findall(r"\b(?:HGMMA|UTCHMMA)\b", listing)),
    )


def _from_ptx(ptx: str, arch: int) -> Facts:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "kernel.ptx"
        file.write_text(ptx)
        name = f"sm_{arch}a" if arch >= 90 else f"sm_{arch}"
        log = _run(get_ptxas(arch).path, "-v", f"--gpu-name={name}", str(file), "-o", str(file.with_suffix(".cubin")))
    return Facts(
        regs=max(map(int, re.findall(r"Used (\d+) registers", log))),
        spill_bytes=sum(map(int, re.findall(r"(\d+) bytes stack frame", log))),
        hmma=len(re.findall(r"\bmma\.sync\b", ptx)),
        hgmma=len(re.findall(r"\b(?:wgmma\.mma_async|tcgen05\.mma)\b", ptx)),
    )


def _run(*command: str) -> str:
    # cuobjdump starts nvdisasm, which lies beside it.
    environment = {**os.environ, "PATH": f"{TOOLS}:{os.environ.get('PATH', '')}"}
    finished = subprocess.run(command, capture_output=True, text=True, env=environment)
    if finished.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {' '.join(finished.stderr.split())}")
    return finished.stdout + finished.stderr
