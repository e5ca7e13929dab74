"""The checked build ends the process at the first access outside what was announced."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.native.kernels import runnable

TESTS = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from mtcli_native.memory import allocate
from support.native.kernels import Kernels
from support.native.numbers import Operation
name, path, room = sys.argv[1:]
kernels = Kernels(name, Path(path).read_bytes())
kernels(Operation.COPY, allocate(int(room), np.float32), allocate(64, np.float32), 256)
print("copied")
"""


def run(compiled: Callable[[str], Path], room: int) -> subprocess.CompletedProcess[str]:
    """Copy 64 numbers to where there is room for so many, in a process of its own."""
    if not runnable():
        pytest.skip("the kernels know no processor like this one")
    name = f"{runnable()[-1]}-checked"
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent / "kernels"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", PROGRAM, name, str(compiled(name)), str(room)]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True)


def test_memory_that_was_announced_may_be_used(compiled: Callable[[str], Path]) -> None:
    assert run(compiled, 64).stdout == "copied\n"


def test_an_access_behind_an_array_ends_the_process(compiled: Callable[[str], Path]) -> None:
    found = run(compiled, 48)
    assert found.returncode in (-signal.SIGILL, -signal.SIGTRAP), found.stderr
    assert not found.stdout
