"""The ceilings, measured at toy sizes, and what is planned at full size."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from support.bench_records import figure, settings

from mtcli.bench import ceilings, host
from mtcli.bench.ceilings import _planned_products, _product, _row, measure_ceilings
from mtcli.bench.contest.timing import Stopwatch
from mtcli.bench.record.schema import TIME
from mtcli.bench.roofline import formulas


def test_the_ceilings_are_the_best_that_was_measured() -> None:
    found, rows = measure_ceilings(settings())
    rates = {row.name: row.flops / row.figures[TIME].median * 1e6 for row in rows if row.flops}
    assert found.flops_per_second == {
        dtype: pytest.approx(rates[f"matrix product, {dtype}"]) for dtype in ("float32", "bfloat16")
    }
    [copy] = [row for row in rows if row.name == "copy"]
    assert found.bytes_per_second == pytest.approx(2 * (1 << 20) / copy.figures[TIME].median * 1e6)
    launches = [row.figures[TIME].median for row in rows if row.name.startswith("launch")]
    assert found.launch_us == pytest.approx(min(launches))


def test_late_there_are_still_all_kinds_of_ceilings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceilings, "CPU_SHAPES", ((8, 8, 8), (16, 16, 16)))
    monkeypatch.setattr(ceilings, "_uncached_bytes", lambda: 1 << 20)
    _, rows = measure_ceilings(settings(seconds=-1.0, toy=False))
    assert [(row.name, row.case) for row in rows[:-1]] == [
        ("copy", "1 MiB"),
        ("matrix product, float32", "[8, 8] @ [8, 8]"),
        ("matrix product, bfloat16", "[8, 8] @ [8, 8]"),
    ]


def test_copies_within_the_caches_are_no_ceiling_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(watch: Stopwatch, num_bytes: int) -> Any:
        seconds = 2 * num_bytes / (1e9 if num_bytes >= 2 << 30 else 9e9)
        return _row("copy", str(num_bytes), figure(seconds * 1e6), formulas.copy(num_bytes))

    monkeypatch.setattr(ceilings, "_copy", fake)
    monkeypatch.setattr(ceilings, "CPU_SHAPES", ((8, 8, 8),))
    monkeypatch.setattr(host, "cache_bytes", lambda: 1 << 30)
    monkeypatch.setattr(host, "memory_bytes", lambda: 1 << 40)
    found, _ = measure_ceilings(settings(toy=False))
    assert [one.bytes for one in found.copies] == [2 << 30, 64 << 20, 8 << 20, 1 << 20]
    assert found.bytes_per_second == pytest.approx(1e9)
    assert found.bandwidth(1 << 20, in_caches=True) == pytest.approx(9e9)
    assert found.bandwidth(1 << 20, in_caches=False) == found.bandwidth(1 << 31, in_caches=True) == pytest.approx(1e9)


def test_a_small_memory_is_not_filled_with_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "cache_bytes", lambda: 1 << 30)
    monkeypatch.setattr(host, "memory_bytes", lambda: 2 << 30)
    assert ceilings._uncached_bytes() == 128 << 20
    monkeypatch.setattr(host, "memory_bytes", lambda: 0)
    assert ceilings._uncached_bytes() == 2 << 30


def test_the_precision_of_float32_is_put_back() -> None:
    torch.set_float32_matmul_precision("high")
    try:
        _product(Stopwatch("cpu", rehearsal=True), "float32", 4, 4, 4)
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize(("capability", "dtypes"), [((9, 0), 4), ((7, 5), 2)])
def test_a_gpu_multiplies_one_large_square_in_every_type_first(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], dtypes: int
) -> None:
    capable: Callable[..., Any] = lambda device: capability  # noqa: E731
    monkeypatch.setattr(torch.cuda, "get_device_capability", capable)
    plan = list(_planned_products(settings(torch_device="cuda", toy=False)))
    assert [one[1:] for one in plan[:dtypes]] == [(4096,) * 3] * dtypes
    assert len({one[0] for one in plan}) == len({one[0] for one in plan[:dtypes]}) == dtypes
