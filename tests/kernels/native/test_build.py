"""Compiling the kernels: objects for every system, and what they need from elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtcli_native import build, load, objects, symbols, targets

pytest.importorskip("numba")


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(objects.SOURCES.parent)}


def _build(*options: str) -> str:
    command = [sys.executable, "-m", "mtcli_native.build", *options]
    return subprocess.run(command, env=_environment(), capture_output=True, text=True, check=True).stdout


def _emitted(body: str, system: str) -> bytes:
    return build.emit(f"declare void @memset(ptr)\ndeclare void @other()\n{body}", targets.AVX2, system)


@pytest.mark.parametrize("system", list(build.SYSTEMS))
def test_an_object_that_needs_what_is_not_provided_is_refused(system: str) -> None:
    call = "define void @mtcli_native_run(ptr %p) {{\n  call void @{}\n  ret void\n}}\n"
    assert symbols.undefined(_emitted(call.format("memset(ptr %p)"), system)) == {"memset"}
    with pytest.raises(ValueError, match=f"x86-64-avx2 on {system} needs other"):
        _emitted(call.format("other()"), system)


def test_a_target_that_is_not_known_is_an_error_that_lists_those_there_are() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mtcli_native.build", "--target", "pdp-11"],
        env=_environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert targets.AVX2.name in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("target", targets.ALL, ids=lambda target: target.name)
def test_objects_are_made_for_every_system_and_then_kept(target: targets.Target, tmp_path: Path) -> None:
    told = _build("--target", target.name, "-o", str(tmp_path))
    for system in build.systems_of(target):
        path = tmp_path / objects.file_name(target, system)
        assert path.name in told
        assert symbols.undefined(objects.read(path)) <= set(load.PROVIDED)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert _build("--target", target.name, "-o", str(tmp_path)).count("is current") == len(times)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times


@pytest.mark.slow
def test_two_processes_at_once_compile_once(tmp_path: Path) -> None:
    environment = _environment() | {"XDG_CACHE_HOME": str(tmp_path), "MTCLI_NATIVE_TARGET": ""}
    code = (
        "from pathlib import Path; from mtcli_native import load, objects;"
        "objects.BUILT_IN = Path('/nowhere'); load.entry(); print(load.describe())"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = [process.communicate() for process in running]
    assert [out.strip().endswith(", cached") for out, _ in told] == [True, True]
    assert sum(error.count("Compiling the kernels") for _, error in told) == 1
