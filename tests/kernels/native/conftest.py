"""The kernels, compiled once a run of the tests for each target that is tried."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.native.kernels import Kernels, runnable
from support.shared import made_once

TESTS = Path(__file__).resolve().parents[2]
_TARGETS = runnable()
# Between them: the first and the last form of multiplying bytes, both widths of registers, and every access tested
_FAST = list(dict.fromkeys([*_TARGETS[:1], *(f"{name}-checked" for name in _TARGETS[-1:])]))
_ALL = [each for name in _TARGETS for each in (name, f"{name}-checked")]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Compiles for a target, in a process of its own, unless MTCLI_TEST_KERNELS names a folder; gives the object file.

    That is for processors that numba does not run on (tests/aarch64).
    """

    def object_file(name: str) -> Path:
        if folder := os.environ.get("MTCLI_TEST_KERNELS"):
            return Path(folder) / f"{name}.o"

        def make(directory: Path) -> None:
            paths = [str(TESTS), str(TESTS.parent / "kernels"), os.environ.get("PYTHONPATH", "")]
            command = [sys.executable, "-m", "support.native.compiling", name, str(directory / "operations.o")]
            subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)})

        return made_once(tmp_path_factory, f"native-{name}", make) / "operations.o"

    return object_file


@pytest.fixture(
    scope="session",
    params=[pytest.param(name, marks=[] if name in _FAST else [pytest.mark.slow]) for name in _ALL]
    or [pytest.param(None, marks=pytest.mark.skip(reason="the kernels know no processor like this one"))],
)
def kernels(request: pytest.FixtureRequest, compiled: Callable[[str], Path]) -> Kernels:
    """The kernels of each target that this machine can run."""
    return Kernels(request.param, compiled(request.param).read_bytes())
