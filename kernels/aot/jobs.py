"""What is compiled: each case of an operation, for the GPUs that would use its tile and for its number types."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aot import ops
from mtcli_kernels.aot import Case
from mtcli_kernels.tuning import TileTable

TARGETS = (80, 90)
DTYPES = {16: ("fp16", "bf16"), 32: ("fp32",)}
COMMON_HEADS = (None, 32, 64, 128)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One compilation.

    Attributes:
        folder: of the operation.
        case: the kernel, its tile and its arguments.
        arch: compute capability of the GPU, as 80 or 90.
        dtype: number type of the inputs, as Triton names it: fp16, bf16 or fp32.
    """

    folder: Path
    case: Case
    arch: int
    dtype: str


def head_dim(case: Case) -> int | None:
    """The head size a case computes: its constant HEAD_DIM, or that of its tile; None without heads."""
    size = case.constants.get("HEAD_DIM", case.tile.head_dim)
    return None if size is None else int(size)


def is_common(case: Case) -> bool:
    """Whether models usually compute this: 16 bits, and heads of 32, 64 or 128 numbers where there are heads."""
    return case.tile.bits == 16 and head_dim(case) in COMMON_HEADS


def uses(table: TileTable, case: Case, arch: int) -> bool:
    """Whether a launch on such a GPU takes the tile of this case, and no other."""
    tile = case.tile
    try:
        return table.pick(tile.kernel, divmod(arch, 10), tile.bits, head_dim(case)) == tile
    except LookupError:
        return False


def plan(folder: Path, archs: Sequence[int] | None, everything: bool) -> tuple[list[Job], list[str]]:
    """The compilations of one operation, and what is wrong with its cases, a sentence each.

    Args:
        folder: of the operation.
        archs: the GPUs to compile for; None for `TARGETS`, and those that an entry is made for.
        everything: take the uncommon cases too; see `is_common`.
    """
    if not (folder / "aot_cases.py").exists():
        return [], [f"{folder.name}: it has a kernel.py but no aot_cases.py, so nothing of it is compiled."]
    try:
        cases = ops.cases(folder)
        entries = list(ops.tiles(folder))
    except Exception as error:  # noqa: BLE001  An operation that cannot say its cases must not hide the others.
        return [], [f"{folder.name}: its cases cannot be read: {type(error).__name__}: {error}"]
    table = TileTable([case.tile for case in cases])
    jobs = [
        Job(folder=folder, case=case, arch=arch, dtype=dtype)
        for case in cases
        if everything or is_common(case)
        for arch in archs or sorted({*TARGETS, case.tile.arch})
        if uses(table, case, arch)
        for dtype in DTYPES[case.tile.bits]
    ]
    problems = [f"{folder.name}: no case compiles {tile}." for tile in entries if tile not in table.tiles]
    problems += [
        f"{folder.name}: no GPU takes {case.tile} for head size {head_dim(case)}, because another entry goes before it."
        for case in cases
        if not uses(table, case, case.tile.arch)
    ]
    if not cases:
        problems.append(f"{folder.name}: its aot_cases.py yields no case.")
    return jobs, problems
