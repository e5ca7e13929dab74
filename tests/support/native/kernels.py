"""The CPU's kernels in this process, operation by operation, for any target that this machine can run."""

import ctypes

import numpy as np
from llvmlite import binding
from support.native.compiling import SYMBOL
from support.native.numbers import Operation

from mtcli_native import memory, processor, targets
from mtcli_native.memory import Array, address, allocate
from mtcli_native.records import ANNOUNCE, CALL


def runnable() -> list[str]:
    """The names of the targets that this machine can run, the fastest first."""
    machine, flags = processor.machine(), processor.flags()
    return [one.name for one in targets.ALL if machine in one.machine and processor.plain(*one.needs) <= flags]


class Kernels:
    """One target's operations.

    Attributes:
        target: whose.
    """

    def __init__(self, name: str, code: bytes) -> None:
        """Load an object file that compiling.py wrote."""
        self.target = targets.by_name(name)
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        machine = binding.Target.from_default_triple().create_target_machine(
            cpu=self.target.cpu, features=self.target.features
        )
        self._engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
        libc = ctypes.CDLL(None)
        for function in ("memset", "memcpy", "memmove"):
            binding.add_symbol(function, ctypes.cast(getattr(libc, function), ctypes.c_void_p).value)
        binding.add_symbol("NRT_MemInfo_call_dtor", 8)  # referred to, never called
        self._engine.add_object_file(binding.object_file.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
        self._function = kind(self._engine.get_function_address(SYMBOL))

    def __call__(self, operation: Operation, *arguments: int | Array) -> int:
        """Run an operation, given addresses, numbers, or arrays for their addresses; returns its result.

        A checked build is told of all memory that is known at this moment.
        """
        numbers = allocate(10, np.int64)
        for index, argument in enumerate(arguments):
            numbers[index] = address(argument) if isinstance(argument, np.ndarray) else argument
        if self.target.is_checked and operation != Operation.RUN:
            self.announce()
        result, error = ctypes.c_int64(0), ctypes.c_void_p(0)
        if self._function(ctypes.byref(result), ctypes.byref(error), int(operation), address(numbers)):
            raise RuntimeError(f"{operation.name} ended with an error")
        return result.value

    def announce(self) -> None:
        """Tell a checked build of all memory that may be used."""
        self._regions = memory.announced()  # the kernels read it until the next
        call = memory.remember(memory.record(CALL, command=ANNOUNCE, p_batch=address(self._regions)))
        self(Operation.RUN, call)
