"""The picture: what is in it, that equal records are equal bytes, and what is said when it cannot be drawn."""

import importlib.util
from pathlib import Path

import pytest
from support.bench_records import CEILINGS, GPU, copy_row, record

from mtcli.bench.display.plot import _draw, check_plot, points_of, write_roofline
from mtcli.errors import BackendUnavailableError, DataError, UsageError

pytest.importorskip("matplotlib", reason="the viz extra is not installed")


def test_points_are_kernels_as_mtcli_takes_them_and_phases_with_bytes() -> None:
    assert points_of(record()) == {
        "cross_entropy": [(2.0, pytest.approx(4e6 / 200e-6))],
        "translate: encoder": [(8.0, pytest.approx(8e10))],
    }


def test_points_and_measured_ceilings_are_drawn() -> None:
    figure = _draw(record())
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines) == [
        "copy in memory: 10 GB/s",
        "copy in caches: 40 GB/s",
        "float32: 100 GFLOP/s",
        "cross_entropy",
        "translate: encoder",
    ]
    x, y = lines["copy in memory: 10 GB/s"].get_data()
    assert y[0] / x[0] == pytest.approx(1e10) and y[1] == pytest.approx(1e11)
    assert list(lines["cross_entropy"].get_ydata()) == [pytest.approx(2e10)]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(lines)


def test_a_gpu_has_one_slope_and_without_measured_work_there_are_the_ceilings_alone() -> None:
    figure = _draw(record(copy_row(), device=GPU, workloads={}))
    (axes,) = figure.axes
    assert len(axes.lines) == 1 + len(CEILINGS.flops_per_second)
    assert figure.get_suptitle() == "Roofline of Some GPU, 2026-01-31"


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_equal_records_are_equal_files(suffix: str, tmp_path: Path) -> None:
    first, second = (tmp_path / f"{name}.{suffix}" for name in ("first", "second"))
    for path in (first, second):
        write_roofline(record(), path)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"first.{suffix}", f"second.{suffix}"]


def test_what_cannot_be_drawn_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"roofline\.docx: there is no picture of this kind.*\.svg"):
        check_plot(tmp_path / "roofline.docx")
    with pytest.raises(DataError, match="nowhere"):
        write_roofline(record(), tmp_path / "nowhere" / "roofline.svg")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BackendUnavailableError, match=r"pip install 'mtcli-nmt\[viz\]'"):
        write_roofline(record(), tmp_path / "roofline.svg")
    assert not any(tmp_path.iterdir())
