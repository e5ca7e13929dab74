"""The compiled kernels in this process."""

import ctypes
import os
from collections.abc import Callable
from functools import cache

from mtcli_native import targets
from mtcli_native.targets import Target

_kept: list[object] = []


def target() -> Target:
    """The target whose kernels this process runs."""
    return targets.by_name(os.environ.get(targets.VARIABLE, targets.AVX512.name))


@cache
def entry() -> Callable[[int], None]:
    """The kernels' function: takes the address of a CALL record (records.py) and gives Python's lock free meanwhile."""
    from llvmlite import binding

    from mtcli_native.build import SYMBOL, compile_here

    module, machine = compile_here(target())
    code = machine.emit_object(module)
    compiler = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    libm = ctypes.CDLL(None)
    for name in ("memset", "memcpy", "memmove"):
        binding.add_symbol(name, ctypes.cast(getattr(libm, name), ctypes.c_void_p).value)
    binding.add_symbol("NRT_MemInfo_call_dtor", 8)
    compiler.add_object_file(binding.object_file.ObjectFileRef.from_data(code))
    compiler.finalize_object()
    kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    function = kind(compiler.get_function_address(SYMBOL))
    _kept.append(compiler)

    def call(address: int) -> None:
        result, error = ctypes.c_int64(0), ctypes.c_void_p(0)
        if function(ctypes.byref(result), ctypes.byref(error), address):
            raise RuntimeError("the compiled kernels ended with an error")

    return call


def obstacle() -> str | None:
    """Tell in a sentence why the kernels cannot run here; None where they can."""
    return None
