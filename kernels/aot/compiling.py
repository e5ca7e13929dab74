"""Compiling one kernel for a GPU that need not be there, as a launch on it would."""

import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, CompiledKernel

from aot import machine_code, ops
from aot.jobs import Job
from aot.rows import Row, row_of
from mtcli_kernels.aot import Case

WARP_SIZE = 32


def compile_job(job: Job, build: Path) -> Row:
    """Compile one job and read its facts; whatever goes wrong stands in the row's `errors`.

    Args:
        job: the kernel, its arguments, and for which GPU.
        build: a folder that keeps compiled kernels and facts for the next run.
    """
    os.environ["TRITON_CACHE_DIR"] = str(build / "triton")
    with _caught_stderr() as log:
        try:
            function: Any = ops.kernel(job.folder, job.case.tile.kernel)
            if errors := argument_errors(function, job.case):
                return row_of(job, triton.__version__, errors=errors)
            start = time.perf_counter()
            kernel = _compile(function, job)
            seconds = time.perf_counter() - start
            facts = machine_code.facts(kernel.asm["cubin"], kernel.asm["ptx"], job.arch, build / "facts")
        except Exception as error:  # noqa: BLE001  What stops the compiler is what this check is here to find.
            return row_of(job, triton.__version__, errors=[_in_one_line(error, _read(log))])
    return row_of(
        job,
        triton.__version__,
        **vars(facts),
        shared_bytes=kernel.metadata.shared,
        fma_dots=machine_code.fma_dots(kernel.asm["ttgir"]),
        seconds=round(seconds, 2),
    )


def argument_errors(function: Any, case: Case) -> list[str]:
    """Where a case and the arguments of its kernel disagree, a clause each."""
    constants = {*case.tile.blocks, *case.constants}
    constexprs = {parameter.name for parameter in function.params if parameter.is_constexpr}
    given, taken = {*case.arguments, *constants}, set(function.arg_names)
    disagreements = {
        "the case gives no value or type for": taken - given,
        "the kernel has no argument": given - taken,
        "the case gives both a type and a value for": constants & {*case.arguments},
        "the case gives a value for what is no constexpr:": (constants & taken) - constexprs,
        "the case gives a type for a constexpr:": {*case.arguments} & constexprs,
        "`aligned` names what is no argument of the case:": {*case.aligned} - {*case.arguments},
    }
    return [f"{what} {', '.join(sorted(names))}" for what, names in disagreements.items() if names]


def _compile(function: Any, job: Job) -> CompiledKernel:
    case, tile = job.case, job.case.tile
    constants = {**tile.blocks, **case.constants}
    types = {name: kind.replace("*T", f"*{job.dtype}") for name, kind in case.arguments.items()}
    # A launch finds out by itself that pointers, and most sizes and strides, are divisible by 16.
    divisible = {name for name, kind in types.items() if kind.startswith("*")} | {*case.aligned}
    source = ASTSource(
        fn=function,
        signature={name: types.get(name, "constexpr") for name in function.arg_names},
        constexprs=constants,
        attrs={(i,): [["tt.divisibility", 16]] for i, name in enumerate(function.arg_names) if name in divisible},
    )
    # Versions differ in the default of enable_fp_fusion; a launch fuses in all of them.
    options = {"num_warps": tile.num_warps, "num_stages": tile.num_stages, "enable_fp_fusion": True}
    return triton.compile(source, target=GPUTarget("cuda", job.arch, WARP_SIZE), options=options)


@contextmanager
def _caught_stderr() -> Iterator[BinaryIO]:
    # Triton's passes are C++: they write why they failed to the process's stderr, and raise only that they did.
    with tempfile.TemporaryFile() as log:
        kept = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield log
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _read(log: BinaryIO) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")


def _in_one_line(error: Exception, log: str) -> str:
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    from_passes = re.findall(r"\berror: (.+)", log)
    reason = from_passes[0] if from_passes else (said[-1] if said else "")
    where = next(iter(re.findall(r"^at (\d+):", str(error), flags=re.MULTILINE)), None)
    place = f", line {where} of the function" if where else ""
    return f"it does not compile: {type(error).__name__}{place}: {reason}"
