"""The roofline's arithmetic against numbers worked out by hand, and what stands where on it."""

import pytest
from support.bench_records import CEILINGS, record

from mtcli.bench.record.points import number_types, series_of
from mtcli.bench.roofline.formulas import Cost
from mtcli.bench.roofline.limits import Point, attainable, bandwidth, ridge


def test_a_point_is_intensity_and_rates() -> None:
    # [2, 3] @ [3, 4] of two-byte numbers: 2 * (6 + 12 + 8) bytes, 2 * 2 * 3 * 4 operations.
    point = Point.of(Cost(bytes=52, flops=48), seconds=0.5)
    assert point == Point(intensity=48 / 52, flops_per_second=96.0, bytes_per_second=104.0)


def test_below_the_ridge_bytes_are_the_limit_and_above_it_arithmetic() -> None:
    assert ridge(bytes_per_second=10.0, flops_per_second=200.0) == 20.0
    assert attainable(5.0, 10.0, 200.0) == 50.0
    assert attainable(20.0, 10.0, 200.0) == 200.0
    assert attainable(80.0, 10.0, 200.0) == 200.0


@pytest.mark.parametrize(("intensity", "seconds"), [(2, 0.1), (40, 0.2)])
def test_the_least_time_is_that_of_the_attainable_rate(intensity: int, seconds: float) -> None:
    cost = Cost(bytes=1, flops=intensity)
    assert cost.floor(10.0, 200.0) == pytest.approx(seconds)
    assert cost.flops / cost.floor(10.0, 200.0) == pytest.approx(attainable(intensity, 10.0, 200.0))


@pytest.mark.parametrize(
    ("num_bytes", "rate"),
    [
        (20, 4e9),
        (200, 4e9),  # what a copy of 100 bytes moves
        (201, 1e9),
        (2001, 1e9),
    ],
)
def test_what_fits_the_caches_is_held_against_copies_within_them(num_bytes: int, rate: float) -> None:
    assert bandwidth(CEILINGS, num_bytes, in_caches=True) == rate
    assert bandwidth(CEILINGS, num_bytes, in_caches=False) == 1e9


def test_every_kernel_and_phase_with_bytes_has_a_point() -> None:
    found = {series.name: series for series in series_of(record())}
    assert [(name, series.is_kernel) for name, series in found.items()] == [
        ("attention", True),
        ("loss", True),
        ("translate: encoder", False),
        ("train: forward", False),
    ]
    slow, fast = found["attention"].points
    assert (slow.intensity, fast.intensity) == (4.0, 8.0)
    assert (slow.flops_per_second, fast.flops_per_second) == pytest.approx((2e9, 8e9))
    assert found["loss"].points == [Point(0.0, 0.0, pytest.approx(1e9))]
    assert found["translate: encoder"].points == [Point(8.0, 4e6, 5e5)]  # not of the row that was wrong


def test_a_kernel_without_a_time_has_no_point() -> None:
    whole = record()
    assert whole.kernels is not None
    (row,) = whole.kernels.operations["loss"]
    del row["contestants"][0]["flops_per_second"]
    assert "loss" not in [series.name for series in series_of(whole)]


def test_the_roofs_are_those_of_the_number_types_that_occur() -> None:
    assert number_types(record()) == ["bfloat16", "float32"]
    assert number_types(record(train=None)) == ["float32"]
    assert number_types(record(kernels=None, translate=None, train=None)) == []
