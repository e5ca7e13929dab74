"""Which GPUs a tile is compiled for, and in which number types."""

from pathlib import Path

import pytest

from aot.jobs import DTYPES, is_common, plan, uses
from mtcli_kernels.aot import Case
from mtcli_kernels.tuning import Tile, TileTable


def case(tile: Tile, **constants: int) -> Case:
    return Case(tile=tile, arguments={}, constants=constants)


OLD = Tile(kernel="k", arch=80, bits=16, head_dim=64, num_warps=4)
NEW = Tile(kernel="k", arch=90, bits=16, head_dim=64, num_warps=8)
OLD_LARGE = Tile(kernel="k", arch=80, bits=16, head_dim=128)


def test_an_entry_without_a_newer_one_serves_newer_gpus_too() -> None:
    table = TileTable([OLD, NEW, OLD_LARGE])
    assert [(uses(table, case(tile), 80), uses(table, case(tile), 90)) for tile in table.tiles] == [
        (True, False),
        (False, True),
        (True, True),
    ]


def test_the_head_size_of_a_case_decides_and_not_that_of_its_tile() -> None:
    table = TileTable([OLD, OLD_LARGE])
    assert uses(table, case(OLD, HEAD_DIM=48), 80)
    assert not uses(table, case(OLD_LARGE, HEAD_DIM=48), 80)


@pytest.mark.parametrize(
    ("tile", "constants", "common"),
    [
        (OLD, {}, True),
        (OLD, {"HEAD_DIM": 64}, True),
        (OLD, {"HEAD_DIM": 48}, False),
        (Tile(kernel="k", arch=80, bits=16, head_dim=16), {}, False),
        (Tile(kernel="k", arch=80, bits=16), {}, True),
        (Tile(kernel="k", arch=80, bits=32), {}, False),
    ],
)
def test_the_short_run_takes_what_models_usually_compute(tile: Tile, constants: dict[str, int], common: bool) -> None:
    assert is_common(case(tile, **constants)) == common


def test_every_width_has_its_number_types() -> None:
    assert DTYPES == {16: ("fp16", "bf16"), 32: ("fp32",)}


def test_an_entry_is_compiled_for_its_own_gpu_where_none_is_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "an_op_with_a_new_gpu"
    folder.mkdir()
    (folder / "aot_cases.py").write_text(
        "from mtcli_kernels.aot import Case\n"
        "from mtcli_kernels.tuning import Tile\n\n\n"
        "def cases():\n"
        "    for arch in (80, 120):\n"
        "        yield Case(tile=Tile(kernel='k', arch=arch, bits=16), arguments={}, constants={})\n"
    )
    assert [job.arch for job in plan(folder, None, everything=False)[0]] == [80, 80, 90, 90, 120, 120]
    assert [job.arch for job in plan(folder, [90], everything=False)[0]] == [90, 90]
