"""Compile the test caller of the CPU's kernels for a target: python -m support.native.compiling TARGET FILE."""

import sys
from pathlib import Path

from mtcli_native import build, objects, targets

SYMBOL = "mtcli_native_operate"


def compile_to(name: str, path: Path) -> None:
    """Write an object file whose only visible function is SYMBOL. A process can do so for one target."""
    target = targets.by_name(name)
    text = build.compile_module(target, "support.native.operations:operate", SYMBOL, arguments=2)
    path.write_bytes(build.emit(text, target, objects.format_here()))


if __name__ == "__main__":
    compile_to(sys.argv[1], Path(sys.argv[2]))
