"""Bytes and operations against counts made by hand."""

import pytest

from mtcli.bench.roofline import formulas
from mtcli.bench.roofline.formulas import Cost


def test_copy_reads_and_writes() -> None:
    assert formulas.copy(10) == Cost(bytes=20)


def test_matmul() -> None:
    # 2x3 @ 3x4: 8 sums of 3 products; 6 + 12 read, 8 written, 2 bytes each
    assert formulas.matmul(2, 3, 4, width=2) == Cost(bytes=52, flops=48)


def test_attention_forward() -> None:
    # One sentence of 2 queries and 3 keys, 1 head of 4: q and out 2 rows each, k and v 3 each, of 8 bytes;
    # 6 pairs of 4 multiply-adds for q k and for p v.
    cost = formulas.attention([2], [3], causal=False, heads=1, head_dim=4, width=2)
    assert cost == Cost(bytes=(2 + 2 + 3 + 3) * 8, flops=2 * 6 * 4 * 2)
    of_two = formulas.attention([2, 3], [2, 3], causal=True, heads=1, head_dim=4, width=2)
    assert of_two.flops == 2 * (3 + 6) * 4 * 2


def test_attention_training() -> None:
    # Backward: q, out, its gradient and dq 2 rows each; k, v, dk, dv 3 each; 2 log-sum-exps written and read.
    cost = formulas.attention([2], [3], causal=False, heads=1, head_dim=4, width=2, training=True)
    backward = Cost(bytes=(4 * 2 + 4 * 3) * 8 + 2 * 2 * 4, flops=5 * 6 * 4 * 2)
    assert cost == formulas.attention([2], [3], causal=False, heads=1, head_dim=4, width=2) + backward


def test_cross_attention_decode() -> None:
    # Sources of 5 and 7 tokens, beam 3, 2 heads of 4, 2 bytes: a row has 16 bytes.
    cost = formulas.cross_attention_decode([5, 7], beam=3, heads=2, head_dim=4, width=2)
    assert cost.bytes == 16 * (2 * 12 + 2 * 6)
    assert cost.flops == 3 * 12 * 2 * (2 * 4) * 2  # hypotheses x keys x heads x (q k and p v)


def test_self_attention_decode() -> None:
    # 2 slots at positions 1 and 2, beam 2, of whose 6 earlier entries 4 are owned; 1 head of 4, 2 bytes.
    cost = formulas.self_attention_decode(4, [1, 2], beam=2, heads=1, head_dim=4, width=2)
    read = 2 * 4 + 3 * 4  # owned keys and values; q, k, v
    written = 3 * 4  # k, v, output
    assert cost.bytes == 8 * (read + written)
    assert cost.flops == 2 * (2 + 3) * (2 * 4) * 2  # hypotheses x (past and present) x (q k and p v)


def test_reads_of_the_logits() -> None:
    assert formulas.logits(rows=8, vocabulary=100, width=2) == Cost(1600)
    assert formulas.logits(rows=8, vocabulary=100, width=2, times=3) == Cost(4800)


@pytest.mark.parametrize(("rate", "seconds"), [(1000.0, 5.0), (10.0, 20.0), (None, 5.0)])
def test_the_floor_is_the_larger_time(rate: float | None, seconds: float) -> None:
    assert Cost(bytes=500, flops=200).floor(100.0, rate) == pytest.approx(seconds)
