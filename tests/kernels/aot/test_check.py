"""The whole check, on operations written here: what passes, what is refused, and what it writes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

pytest.importorskip("triton", reason="Triton's wheels are for Linux alone")

from aot import machine_code
from aot.rows import Row

REPOSITORY = Path(__file__).parents[3]
Outcome = tuple[subprocess.CompletedProcess[str], dict[str, list[dict[str, Any]]]]

# Each thread of four warps holds SIZE * SIZE / 128 numbers of a tile, and has 255 registers.
KERNEL = """
import triton
import triton.language as tl


@triton.jit
def dot_kernel(X, OUT, stride, SIZE: tl.constexpr):
    o_size = tl.arange(0, SIZE)
    o_tile = o_size[:, None] * stride + o_size[None, :]
    b_x = tl.load(X + o_tile)
    tl.store(OUT + o_tile, tl.dot(b_x, tl.trans(b_x)))


@triton.jit
def sum_kernel(X, OUT, stride, SIZE: tl.constexpr):
    o_size = tl.arange(0, SIZE)
    o_tile = o_size[:, None] * stride + o_size[None, :]
    b_x = tl.load(X + o_tile)
    b_out = tl.load(OUT + o_tile)
    b_sum = tl.sum(b_x * b_out, 1)[:, None]
    tl.store(OUT + o_tile, b_x * b_sum)
    tl.store(X + o_tile, b_out * b_sum)


@triton.jit
def broken_kernel(X, OUT, stride, SIZE: tl.constexpr):
    tl.store(OUT, tl.load(X) + a_name_nobody_defined)
"""

CASE = """
Case(
    tile=Tile(kernel={kernel!r}, arch=80, bits={bits}, blocks={{"SIZE": {size}}}),
    arguments={arguments},
    constants={{}},
    aligned=("stride",),
    tensor_cores={tensor_cores},
)"""
ARGUMENTS = {"X": "*T", "OUT": "*fp32", "stride": "i32"}


def case(kernel: str, size: int, *, bits: int = 16, tensor_cores: bool = True, **more: str) -> str:
    return CASE.format(kernel=kernel, bits=bits, size=size, tensor_cores=tensor_cores, arguments={**ARGUMENTS, **more})


def write_op(root: Path, name: str, *cases: str, kernel: str = KERNEL) -> None:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("import a_package_that_is_not_installed\n")
    (folder / "kernel.py").write_text(kernel)
    body = "".join(f"    yield {indent(text, '    ').strip()}\n" for text in cases)
    imports = "from mtcli_kernels.aot import Case\nfrom mtcli_kernels.tuning import Tile\n"
    (folder / "aot_cases.py").write_text(f"{imports}\n\ndef cases():\n{body}")


def check(root: Path, *options: str) -> Outcome:
    """Run the check on the operations in `root` as a process; its outcome and the JSON it wrote."""
    command = [sys.executable, "-m", "aot", "--ops", str(root), "--build", str(root / "build"), *options]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "kernels")}
    finished = subprocess.run(command, capture_output=True, text=True, env=environment)
    return finished, json.loads((root / "build" / "aot.json").read_text())


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A folder with one sound operation, checked."""
    root = tmp_path_factory.mktemp("sound")
    write_op(root, "sound", case("dot_kernel", 64))
    return root, check(root)


def test_a_sound_kernel_passes_on_every_gpu_that_takes_it(sound: tuple[Path, Outcome]) -> None:
    _, (finished, report) = sound
    assert (finished.returncode, finished.stderr) == (0, "")
    rows = report["rows"]
    assert [(row["arch"], row["dtype"]) for row in rows] == [(80, "fp16"), (80, "bf16"), (90, "fp16"), (90, "bf16")]
    assert all(row["hmma"] > 0 for row in rows if row["arch"] == 80)
    assert all(row["hgmma"] > 0 for row in rows if row["arch"] == 90)
    header, *lines = finished.stdout.splitlines()[:-1]
    assert header.split()[:2] == ["op", "kernel"]
    assert [line.split()[0] for line in lines] == ["sound"] * 4


def test_the_json_has_a_row_for_each_compilation_and_says_what_compiled_it(sound: tuple[Path, Outcome]) -> None:
    _, (_, report) = sound
    assert {*report} == {"rows", "versions"}
    assert all({*row} == {*Row.__dataclass_fields__, "problems"} for row in report["rows"])
    assert [{*made_by} for made_by in report["versions"]] == [{"triton", "python", "ptxas"}]
    assert {row["triton"] for row in report["rows"]} == {report["versions"][0]["triton"]}


def test_without_cuobjdump_the_assembler_tells_the_same_facts(
    sound: tuple[Path, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, _ = sound
    (cubin, *_) = sorted((root / "build").glob("aot/triton/*/dot_kernel.cubin"))
    ptx = cubin.with_suffix(".ptx").read_text()
    arch = 90 if ".target sm_90" in ptx else 80
    seen = machine_code.facts(cubin.read_bytes(), ptx, arch, tmp_path / "with")
    monkeypatch.setattr(machine_code, "TOOLS", tmp_path / "no tools")
    assert machine_code.facts(cubin.read_bytes(), ptx, arch, tmp_path / "without") == seen


def test_bad_kernels_are_named_and_fail_the_check(tmp_path: Path) -> None:
    sums = {"bits": 32, "tensor_cores": False}
    write_op(tmp_path, "spilling", case("sum_kernel", 128, **sums))
    write_op(tmp_path, "scalar", case("sum_kernel", 16))
    write_op(tmp_path, "broken", case("broken_kernel", 16, **sums))
    write_op(tmp_path, "unknown", case("sum_kernel", 16, mask="*u8", **sums))
    write_op(tmp_path, "absent", case("other_kernel", 16, **sums))
    finished, report = check(tmp_path, "--all", "--arch", "80")
    assert finished.returncode == 1
    expected = {
        "spilling": ["it spills: "],
        "scalar": ["no tensor-core instruction"] * 2,
        "broken": ["a_name_nobody_defined"],
        "unknown": ["the kernel has no argument mask"],
        "absent": ["kernel.py defines no other_kernel"],
    }
    complaints = finished.stderr.splitlines()
    for op, messages in expected.items():
        named = [line for line in complaints if line.startswith(f"{op}: ")]
        assert [message in line for message, line in zip(messages, named, strict=True)] == [True] * len(messages), named
        assert all(row["problems"] for row in report["rows"] if row["op"] == op)
    assert len(complaints) == sum(map(len, expected.values())), complaints


def test_a_kernel_that_kills_the_compiler_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    write_op(tmp_path, "deadly", case("dot_kernel", 16, bits=32), kernel="import os\nos._exit(3)\n")
    write_op(tmp_path, "sound", case("sum_kernel", 16, bits=32, tensor_cores=False))
    finished, report = check(tmp_path, "--all", "--arch", "80")
    assert finished.returncode == 1
    assert [row["op"] for row in report["rows"] if row["problems"]] == ["deadly"]
    assert "the compiler crashed" in finished.stderr


def test_an_entry_of_the_table_without_a_case_is_refused(tmp_path: Path) -> None:
    write_op(tmp_path, "short", case("sum_kernel", 16, bits=32, tensor_cores=False))
    (tmp_path / "short" / "tiles.py").write_text(
        dedent(
            """
            from mtcli_kernels.tuning import Tile, TileTable

            TILES = TileTable(
                [
                    Tile(kernel="sum_kernel", arch=80, bits=32, blocks={"SIZE": 16}),
                    Tile(kernel="sum_kernel", arch=90, bits=32, blocks={"SIZE": 32}),
                ]
            )
            """
        )
    )
    finished, _ = check(tmp_path, "--all", "--arch", "80")
    assert finished.returncode == 1
    (complaint,) = finished.stderr.splitlines()
    assert complaint.startswith("short: no case compiles Tile(kernel='sum_kernel', arch=90")


def test_another_triton_can_add_its_rows(tmp_path: Path) -> None:
    write_op(tmp_path, "sound", case("sum_kernel", 16, bits=32, tensor_cores=False))
    (tmp_path / "build").mkdir()
    others = {"versions": [{"triton": "3.0.0"}], "rows": [{"triton": "3.0.0", "op": "sound"}]}
    (tmp_path / "build" / "aot.json").write_text(json.dumps(others))
    _, report = check(tmp_path, "--all", "--arch", "80", "--add")
    assert [row["triton"] == "3.0.0" for row in report["rows"]] == [True, False]
    _, report = check(tmp_path, "--all", "--arch", "80")
    assert len(report["rows"]) == len(report["versions"]) == 1
