"""The kernels' objects: which one a processor gets, when one is current, and what happens to a damaged one."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtcli_native import load, objects, processor, targets

_AVX2 = "fpu sse4_2 fma movbe avx f16c bmi1 avx2 bmi2"
_AVX512 = f"{_AVX2} avx512f avx512dq avx512cd avx512bw avx512vl avx512_vnni"


def _cpuinfo(flags: str, name: str = "flags") -> str:
    return "".join(f"processor\t: {i}\n{name}\t\t: {flags}\nbogomips\t: 5200.00\n\n" for i in range(2))


@pytest.mark.parametrize(
    ("machine", "text", "expected"),
    [
        ("x86_64", _cpuinfo(_AVX512), targets.AVX512),
        ("x86_64", _cpuinfo(f"{_AVX512} avx_vnni"), targets.AVX512),
        ("x86_64", _cpuinfo(f"{_AVX512} amx_bf16 amx_tile amx_int8"), targets.AMX),
        ("x86_64", _cpuinfo(f"{_AVX512} amx_bf16 amx_tile"), targets.AVX512),
        ("amd64", _cpuinfo(f"{_AVX2} avx_vnni"), targets.AVX_VNNI),
        ("x86_64", _cpuinfo(_AVX2), targets.AVX2),
        ("x86_64", _cpuinfo(_AVX512.replace(" avx512_vnni", "")), targets.AVX2),
        ("x86_64", _cpuinfo("fpu sse4_2 avx"), None),
        ("aarch64", _cpuinfo("fp asimd asimddp", "Features"), targets.NEON),
        ("arm64", _cpuinfo("fp asimd", "Features"), None),
        ("riscv64", "isa\t: rv64imafdc\n", None),
    ],
)
def test_a_processor_gets_the_fastest_target_it_runs(machine: str, text: str, expected: targets.Target | None) -> None:
    assert load.choose(machine, processor.flags_of_cpuinfo(text)) == expected


def test_a_flag_that_one_processor_lacks_does_not_count() -> None:
    text = _cpuinfo(_AVX2) + _cpuinfo("fpu sse4_2")
    assert "avx2" not in processor.flags_of_cpuinfo(text)


@pytest.mark.parametrize("is_granted", [True, False])
def test_matrix_registers_count_where_the_system_grants_them(is_granted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "_flags_of_processor", lambda: processor.plain("avx2", "amx_tile", "amx_int8"))
    monkeypatch.setattr(processor, "_may_use_matrices", lambda: is_granted)
    assert processor.flags.__wrapped__() == processor.plain("avx2", *(["amx_tile", "amx_int8"] if is_granted else []))


def test_flags_are_known_by_the_names_of_all_systems() -> None:
    assert processor.plain("AVX512VNNI", "avx512_vnni", "avx512-vnni") == {"avx512vnni"}
    assert processor.plain("neon", "dotprod") == {"asimd", "asimddp"}


def test_an_object_is_current_until_the_sources_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.o"
    assert not objects.is_current(path)
    objects.write(path, b"code")
    assert objects.is_current(path)
    assert objects.read(path) == b"code"
    monkeypatch.setattr(objects, "key", lambda: hashlib.sha256(b"other sources").hexdigest())
    assert not objects.is_current(path)


@pytest.mark.parametrize("damage", [lambda x: b"C" + x[1:], lambda x: x[:-1] + b"?", lambda x: x[1:]])
def test_a_damaged_object_is_refused_in_a_sentence(damage, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "x.o"
    objects.write(path, b"code")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(objects.DamagedObjectError, match=r"x\.o is damaged.*Install mtcli again"):
        objects.read(path)


def test_a_damaged_object_is_an_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "BUILT_IN", tmp_path)
    monkeypatch.setattr(load, "_target", lambda: (targets.AVX2, None))
    path = tmp_path / objects.file_name(targets.AVX2, objects.format_here())
    objects.write(path, b"code")
    path.write_bytes(b"C" + path.read_bytes()[1:])
    assert f"{path} is damaged" in str(load.obstacle())


def _obstacle(**variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "from mtcli_native import load; print(load.obstacle())"],
        env=os.environ | {"PYTHONPATH": str(objects.SOURCES.parent)} | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_an_unknown_target_is_named_with_those_there_are() -> None:
    told = _obstacle(MTCLI_NATIVE_TARGET="pdp-11")
    assert "'pdp-11'" in told
    assert all(target.name in told for target in targets.ALL)


def test_a_target_of_another_processor_is_refused() -> None:
    other = targets.AVX2 if processor.machine() in targets.NEON.machine else targets.NEON
    assert f"names {other.name}, which this processor cannot run" in _obstacle(MTCLI_NATIVE_TARGET=other.name)


def test_without_numba_and_without_an_object_the_obstacle_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(objects, "BUILT_IN", tmp_path)
    monkeypatch.setattr(load, "_target", lambda: (targets.AVX2, None))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "numba" else object())
    assert "numba, which compiles them, is not installed: pip install numba" in str(load.obstacle())
    objects.write(objects.cached(targets.AVX2), b"code")
    assert load.obstacle() is None
    assert load.describe() == "x86-64-avx2, cached"


def test_where_the_cache_cannot_be_written_the_kernels_are_compiled_for_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(load, "_compiled", lambda target, folder: b"code")
    assert load._compile(targets.AVX2) == b"code"
