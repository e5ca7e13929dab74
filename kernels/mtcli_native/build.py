"""Compiles the kernels: numba turns them into LLVM's language for one target, LLVM makes an object file of that.

A process compiles for one target, which the kernels' modules read from the environment when they are imported.
"""

import os

from mtcli_native.targets import VARIABLE, Target

SYMBOL = "mtcli_native_run"
"""The function in an object file: int32 f(int64 *result, void **error, int64 address of a CALL record)."""


def compile_here(target: Target) -> tuple[object, object]:
    """Compile for this process; returns LLVM's module and the machine it is for. numba must not be imported yet.

    The module's only visible function is SYMBOL.
    """
    os.environ[VARIABLE] = target.name
    os.environ["NUMBA_CPU_NAME"], os.environ["NUMBA_CPU_FEATURES"] = target.cpu, target.features
    from llvmlite import binding
    from numba import types

    from mtcli_native.loop import run

    run.compile((types.int64,))
    found = run.overloads[(types.int64,)]
    module = found.library._final_module
    for function in module.functions:
        if function.name == found.fndesc.llvm_func_name:
            function.name = SYMBOL
        elif not function.is_declaration:
            function.linkage = "internal"
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(
        cpu=target.cpu, features=target.features, opt=3, reloc="pic", codemodel="default"
    )
    return module, machine
