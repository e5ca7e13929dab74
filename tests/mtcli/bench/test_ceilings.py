"""The ceilings, measured at toy sizes, and what is planned at full size."""

import time

import pytest
import torch

from mtcli.bench import ceilings, host
from mtcli.bench.asked import Asked
from mtcli.bench.ceilings import measure_ceilings
from mtcli.bench.contest.timing import Stopwatch
from mtcli.bench.measuring.peaks import DTYPES, gpu_products, measure_matmul
from mtcli.bench.records.record import Ceilings


def asked(seconds: float = 60.0, toy: bool = True) -> Asked:
    return Asked(torch_device="cpu", seed=1, ends_at=time.monotonic() + seconds, toy=toy)


def test_the_ceilings_are_the_best_that_was_measured() -> None:
    found = measure_ceilings(asked())
    assert Ceilings.model_validate_json(found.model_dump_json()) == found
    assert found.bytes_per_second == max(copied.bytes_per_second for copied in found.copy_)
    for dtype in ("float32", "bfloat16"):
        rates = [product.flops_per_second for product in found.matmul if product.dtype == dtype]
        assert found.flops_per_second[dtype] == max(rates)
    assert found.launch_microseconds == min(launched.microseconds.median for launched in found.launch)
    assert found.launch[0].what.startswith("PyTorch adding 1 to one number")


def test_rates_are_counts_over_medians() -> None:
    found = measure_ceilings(asked())
    copied, product = found.copy_[0], found.matmul[0]
    assert copied.bytes_per_second == pytest.approx(2 * copied.bytes / (copied.microseconds.median * 1e-6))
    flops = 2 * product.m * product.k * product.n
    assert product.flops_per_second == pytest.approx(flops / (product.microseconds.median * 1e-6))


def test_late_there_are_still_all_kinds_of_ceilings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceilings, "CPU_SHAPES", ((8, 8, 8), (16, 16, 16)))
    monkeypatch.setattr(ceilings, "_uncached_bytes", lambda: 1 << 20)
    found = measure_ceilings(asked(seconds=-1.0, toy=False))
    assert [copied.bytes for copied in found.copy_] == [1 << 20]
    assert [(product.dtype, product.m) for product in found.matmul] == [("float32", 8), ("bfloat16", 8)]


def test_copies_within_the_caches_are_no_ceiling_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(watch: Stopwatch, num_bytes: int, seconds: float) -> dict[str, object]:
        timing = {"median": 1.0, "p20": 1.0, "p80": 1.0, "repeats": 10}
        return {"us": timing, "bytes_per_second": 1e9 if num_bytes >= 2 << 30 else 9e9}

    monkeypatch.setattr(ceilings, "measure_copy", fake)
    monkeypatch.setattr(ceilings, "CPU_SHAPES", ((8, 8, 8),))
    monkeypatch.setattr(host, "cache_bytes", lambda: 1 << 30)
    monkeypatch.setattr(host, "memory_bytes", lambda: 1 << 40)
    found = measure_ceilings(asked(toy=False))
    assert [copied.bytes for copied in found.copy_] == [2 << 30, 64 << 20, 8 << 20, 1 << 20]
    assert found.bytes_per_second == 1e9


def test_a_small_memory_is_not_filled_with_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "cache_bytes", lambda: 1 << 30)
    monkeypatch.setattr(host, "memory_bytes", lambda: 2 << 30)
    assert ceilings._uncached_bytes() == 128 << 20
    monkeypatch.setattr(host, "memory_bytes", lambda: 0)
    assert ceilings._uncached_bytes() == 2 << 30


def test_the_precision_of_float32_is_put_back() -> None:
    torch.set_float32_matmul_precision("high")
    try:
        measure_matmul(Stopwatch("cpu", rehearsal=True), "float32", 4, 4, 4)
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_a_gpu_multiplies_one_large_square_in_every_type_first() -> None:
    assert list(gpu_products())[: len(DTYPES)] == [(dtype, 4096, 4096, 4096) for dtype in DTYPES]
