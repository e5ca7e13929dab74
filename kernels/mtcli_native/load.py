"""The compiled kernels in this process: the fastest that the processor runs, loaded by LLVM without a compiler.

LLVM (llvmlite) loads the objects, not the system's linker: so one wheel holds the objects of all systems. An object is
taken from the package, where it was built in; else from the user's cache; else it is compiled on the spot, in another
process, if numba is installed.
"""

import ctypes
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from mtcli_native import objects, processor, targets
from mtcli_native.targets import Target

SYMBOL = "mtcli_native_run"
"""The function in an object file: int32 f(int64 *result, void **error, int64 address of a CALL record)."""

PROVIDED = ("memset", "memcpy", "memmove")
"""What an object may need of others. LLVM leaves any other name at address 0, and says nothing."""

_kept: list[object] = []


def _say(message: str) -> None:
    print(message, file=sys.stderr)


say: Callable[[str], None] = _say
"""Called with a sentence before the kernels are compiled on the spot."""


def choose(machine: str, flags: frozenset[str]) -> Target | None:
    """The fastest target of a processor; None where none fits."""
    fitting = (one for one in targets.ALL if machine in one.machine and processor.plain(*one.needs) <= flags)
    return next(fitting, None)


def target() -> Target:
    """The target whose kernels this process runs.

    Raises:
        RuntimeError: `obstacle` says why there is none.
    """
    chosen, reason = _target()
    if chosen is None:
        raise RuntimeError(reason)
    return chosen


@cache
def _target() -> tuple[Target | None, str | None]:
    machine, flags = processor.machine(), processor.flags()
    name = os.environ.get(targets.VARIABLE)
    if not name:
        chosen = choose(machine, flags)
        reason = "The native engine has no kernels for this processor: it needs AVX2, or ARM's dot products."
        return chosen, None if chosen else reason
    try:
        forced = targets.by_name(name)
    except KeyError:
        names = ", ".join(one.name for one in targets.ALL)
        return None, f"{targets.VARIABLE} names the unknown target {name!r}. Known are {names}."
    missing = processor.plain(*forced.needs) - flags
    if machine not in forced.machine or missing:
        lacks = ", ".join(sorted(missing)) or forced.machine[0]
        return None, f"{targets.VARIABLE} names {name}, which this processor cannot run: it lacks {lacks}."
    return forced, None


def _candidates(chosen: Target) -> tuple[tuple[str, Path], ...]:
    built_in = objects.BUILT_IN / objects.file_name(chosen, objects.format_here())
    return ("built in", built_in), ("cached", objects.cached(chosen))


def _current(chosen: Target) -> tuple[str, Path] | None:
    return next((found for found in _candidates(chosen) if objects.is_current(found[1])), None)


def obstacle() -> str | None:
    """Tell in a sentence why the kernels cannot run here; None where they can. Loads nothing."""
    chosen, reason = _target()
    if chosen is None:
        return reason
    if importlib.util.find_spec("llvmlite") is None:
        return "The native engine needs llvmlite, which is not installed: pip install llvmlite"
    found = _current(chosen)
    if found:
        try:
            objects.read(found[1])
        except objects.DamagedObjectError as error:
            return str(error)
    elif importlib.util.find_spec("numba") is None:
        return (
            f"The native engine's kernels for {chosen.name} are not built, and numba, which compiles them, "
            "is not installed: pip install numba"
        )
    return None


def describe() -> str:
    """Tell which kernels run here, and where they come from; or why none do."""
    if reason := obstacle():
        return reason
    found = _current(target())
    return f"{target().name}, {found[0] if found else 'compiled at first use'}"


@cache
def entry() -> Callable[[int], None]:
    """The kernels' function: takes the address of a CALL record (records.py) and gives Python's lock free meanwhile.

    Raises:
        RuntimeError: the kernels cannot run here, or compiling them failed.
    """
    if reason := obstacle():
        raise RuntimeError(reason)
    return _function(_code(target()))


def _code(chosen: Target) -> bytes:
    found = _current(chosen)
    try:
        return objects.read(found[1]) if found else _compile(chosen)
    except objects.DamagedObjectError as error:
        raise RuntimeError(str(error)) from error


def _compile(chosen: Target) -> bytes:
    """Compile in another process, and keep the object; in a temporary folder where the cache cannot be written."""
    import tempfile

    path = objects.cached(chosen)
    with tempfile.TemporaryDirectory(prefix="mtcli-") as temporary:
        try:
            with _alone(path):
                if not objects.is_current(path):  # else another process has made it meanwhile
                    objects.write(path, _compiled(chosen, Path(temporary)))
                    objects.prune(path.parent)
                return objects.read(path)
        except OSError:
            return _compiled(chosen, Path(temporary))


def _compiled(chosen: Target, folder: Path) -> bytes:
    """Object code that another process compiles, unless it is in the folder."""
    import subprocess

    made = folder / objects.file_name(chosen, objects.format_here())
    if not objects.is_current(made):
        say("Compiling the kernels for this processor, once: about 15 seconds ...")
        command = ["--here", "--target", chosen.name, "--system", objects.format_here(), "-o", str(folder)]
        paths = [str(objects.SOURCES.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        done = subprocess.run(
            [sys.executable, "-P", "-m", "mtcli_native.build", *command],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise RuntimeError(f"Compiling the kernels failed: {last}")
    return objects.read(made)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one process at a time make a file, where the system has such locks; else the last one's file stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as file:
        with suppress(ImportError):
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _function(code: bytes) -> Callable[[int], None]:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(codemodel="jitdefault", jit=True)
    compiler = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    runtime = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
    for name in PROVIDED:
        binding.add_symbol(name, ctypes.cast(getattr(runtime, name), ctypes.c_void_p).value)
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
