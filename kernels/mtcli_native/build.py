"""Compiles the kernels: numba turns them into LLVM's language for one target, LLVM makes object files of that.

    python -m mtcli_native.build [--target NAME ...] [--system linux ...] [-o FOLDER]

A process compiles for one target, which the kernels' modules read from the environment when they are imported; so there
is one process for each. Objects that were made of the same sources are kept.
"""

import argparse
import importlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from mtcli_native import load, objects, processor, symbols
from mtcli_native.targets import ALL, AMX, NEON, STAND_INS, VARIABLE, Target, by_name

SYSTEMS = {"linux": "unknown-linux-gnu", "macos": "apple-macosx11.0", "windows": "pc-windows-msvc-elf"}
"""By name, the end of LLVM's name for a system. LLVM loads ELF objects on Windows more soundly than Windows' own."""


def compile_module(
    target: Target, function: str = "mtcli_native.loop:run", symbol: str = load.SYMBOL, *, arguments: int = 1
) -> str:
    """Compile a function of int64 arguments; returns the module as text, where it alone is visible, as `symbol`.

    numba must not be imported yet: it reads the processor's name once.
    """
    os.environ[VARIABLE] = target.name
    is_x86 = "x86_64" in target.machine
    # numba makes machine code of each function on its way, for the processor it runs on: for another one it gets the
    # plainest of this kind, and only the module that comes out of it is used.
    os.environ["NUMBA_CPU_NAME"] = target.cpu if is_x86 else "generic"
    os.environ["NUMBA_CPU_FEATURES"] = target.features if is_x86 else ""
    from llvmlite import binding
    from numba import types

    for name in STAND_INS:
        binding.add_symbol(name, 8)  # never called here
    module_name, _, function = function.partition(":")
    kernel, signature = getattr(importlib.import_module(module_name), function), (types.int64,) * arguments
    kernel.compile(signature)
    found = kernel.overloads[signature]
    module = found.library._final_module
    for one in module.functions:
        if one.name == found.fndesc.llvm_func_name:
            one.name = symbol
        elif not one.is_declaration:
            one.linkage = "internal"
    return _without_references(str(module))


def _without_references(text: str) -> str:
    """Leave out what numba adds for Python's sake.

    Counting references does nothing: nothing is allocated, and whatever did allocate would need a function that no
    object may need. Pointers to numba's environments are never read.
    """
    text = re.sub(
        r"(?m)^(define [^\n]*@NRT_(?:incref|decref)\([^\n]*\{)\n.*?^\}", r"\1\n  ret void\n}", text, flags=re.S
    )
    return re.sub(r"(?m)^(@_ZN08NumbaEnv\S+ = )common ", r"\1internal ", text)


def emit(text: str, target: Target, system: str) -> bytes:
    """Make an object of a module for a system.

    Raises:
        ValueError: it would need what load.py does not provide.
    """
    from llvmlite import binding

    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    architecture = "x86_64" if "x86_64" in target.machine else "arm64" if system == "macos" else "aarch64"
    triple = f"{architecture}-{SYSTEMS[system]}"
    machine = binding.Target.from_triple(triple).create_target_machine(
        cpu=target.cpu, features=target.features, opt=3, reloc="pic", codemodel="default"
    )
    for name, instruction in STAND_INS.items():
        text = text.replace(name, instruction)
    module = binding.parse_assembly(text)
    module.triple, module.data_layout = triple, str(machine.target_data)
    passes = binding.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=3)))
    code: bytes = machine.emit_object(module)
    if unknown := symbols.undefined(code) - set(load.PROVIDED):
        raise ValueError(f"The object for {target.name} on {system} needs {', '.join(sorted(unknown))}.")
    return code


def _build_one(target: Target, systems: list[str], folder: Path) -> None:
    began = time.perf_counter()
    text = compile_module(target)
    for system in systems:
        code = emit(text, target, system)
        name = objects.file_name(target, system)
        objects.write(folder / name, code)
        print(f"{name}  {len(code):,} bytes  {time.perf_counter() - began:.1f} s", flush=True)
        began = time.perf_counter()


def systems_of(target: Target) -> list[str]:
    """Systems that a target's objects are made for."""
    return {AMX: ["linux"], NEON: ["linux", "macos"]}.get(target, list(SYSTEMS))


def build(targets: list[Target], folder: Path, systems: list[str] | None = None) -> int:
    """Make the objects that are not current, a process for each target, as many at once as there are processors."""
    waiting: list[list[str]] = []
    running: list[subprocess.Popen[bytes]] = []
    failed = 0
    for target in targets:
        wanted = [name for name in systems_of(target) if systems is None or name in systems]
        stale = [name for name in wanted if not objects.is_current(folder / objects.file_name(target, name))]
        for name in wanted:
            if name not in stale:
                print(f"{objects.file_name(target, name)}  is current")
        if stale:
            waiting.append([target.name, *stale])
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            name, *stale = waiting.pop(0)
            command = [sys.executable, "-P", "-m", "mtcli_native.build", "--here", "--target", name, "-o", str(folder)]
            running.append(subprocess.Popen([*command, *(word for one in stale for word in ("--system", one))]))
        failed += running.pop(0).wait() != 0
    return failed


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m mtcli_native.build", description="Compile the CPU's kernels.")
    parser.add_argument("--target", action="append", help="name of a kind of processor (default: all)")
    parser.add_argument("--system", action="append", choices=list(SYSTEMS), help="system (default: all)")
    parser.add_argument("-o", "--output", type=Path, default=objects.BUILT_IN, help="folder (default: the package's)")
    parser.add_argument("--this-processor", action="store_true", help="only what runs here")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    try:
        targets = [by_name(name) for name in arguments.target] if arguments.target else list(ALL)
    except KeyError as error:
        parser.error(f"there is no target {error}; there are {', '.join(target.name for target in ALL)}")
    if arguments.this_processor:
        chosen = load.choose(processor.machine(), processor.flags())
        targets, arguments.system = [chosen] if chosen else [], [objects.format_here()]
    if arguments.here:
        _build_one(targets[0], arguments.system or systems_of(targets[0]), arguments.output)
        return 0
    return 1 if build(targets, arguments.output, arguments.system) else 0


if __name__ == "__main__":
    sys.exit(main())
