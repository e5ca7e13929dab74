"""Compile the test caller of the CPU's kernels for one target: python -m support.native.compiling TARGET FILE."""

import os
import sys
from pathlib import Path

from mtcli_native import targets

SYMBOL = "mtcli_native_operate"


def compile_to(name: str, path: Path) -> None:
    """Write an object file whose only visible function is SYMBOL. A process can do so for one target."""
    target = targets.by_name(name)
    os.environ[targets.VARIABLE] = name
    os.environ["NUMBA_CPU_NAME"], os.environ["NUMBA_CPU_FEATURES"] = target.cpu, target.features
    from llvmlite import binding
    from numba import types
    from support.native.operations import operate

    signature = (types.int64, types.int64)
    operate.compile(signature)
    found = operate.overloads[signature]
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
    path.write_bytes(machine.emit_object(module))


if __name__ == "__main__":
    compile_to(sys.argv[1], Path(sys.argv[2]))
