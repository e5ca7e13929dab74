"""What the check refuses, on rows made up here."""

from dataclasses import replace

import pytest

from aot.judging import problems
from aot.rows import Row

GOOD = Row(
    op="toy",
    kernel="toy_fwd_kernel",
    note="causal",
    arch=80,
    dtype="bf16",
    head_dim=64,
    blocks={"BLOCK_M": 64, "BLOCK_N": 32},
    warps=4,
    stages=2,
    tensor_cores=True,
    triton="3.6",
    regs=255,
    spill_bytes=0,
    shared_bytes=163 * 1024,
    hmma=64,
    hgmma=0,
    fma_dots=0,
    seconds=0.5,
)


@pytest.mark.parametrize(
    "row",
    [
        GOOD,
        replace(GOOD, arch=90, hmma=0, hgmma=8, shared_bytes=227 * 1024),
        replace(GOOD, tensor_cores=False, hmma=0),
        replace(GOOD, dtype="fp32", hmma=0, fma_dots=2),
    ],
)
def test_a_row_within_the_limits_has_no_problem(row: Row) -> None:
    assert problems(row) == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (replace(GOOD, spill_bytes=96), "spills: 96 bytes"),
        (
            replace(GOOD, shared_bytes=163 * 1024 + 1),
            "wants 166913 bytes of shared memory and sm_80 gives a block 166912",
        ),
        (replace(GOOD, arch=90, shared_bytes=227 * 1024 + 1), "sm_90 gives a block 232448"),
        (replace(GOOD, arch=70), "does not know how much shared memory sm_70 has"),
        (replace(GOOD, hmma=0), "no tensor-core instruction"),
        (replace(GOOD, fma_dots=1), "1 of its tl.dot became ordinary multiplications"),
        (replace(GOOD, regs=None, hmma=None, errors=["it does not compile: x"]), "it does not compile: x"),
    ],
)
def test_each_kind_of_problem_is_named(row: Row, message: str) -> None:
    (problem,) = problems(row)
    assert message in problem


def test_a_message_names_the_row() -> None:
    assert GOOD.title == (
        "toy: toy_fwd_kernel (causal, sm_80, bf16, head size 64, BLOCK_M 64 BLOCK_N 32, 4 warps, 2 stages), Triton 3.6"
    )
