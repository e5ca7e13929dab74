"""The picture: what is in it, that equal records are equal bytes, and what is said when it cannot be drawn."""

import importlib.util
from pathlib import Path

import pytest
from support.bench_records import CEILINGS, CPU, record

from mtcli.bench.display.plot import _draw, _roof_labels, _said, check_plot, write_roofline
from mtcli.errors import BackendUnavailableError, DataError, UsageError

pytest.importorskip("matplotlib", reason="the viz extra is not installed")


def test_every_point_is_drawn_where_it_belongs() -> None:
    figure = _draw(record())
    beside, roofline = figure.axes
    drawn = [tuple(zip(*line.get_data(), strict=True)) for line in roofline.lines if line.get_marker() != "None"]
    assert ((4.0, pytest.approx(2e9)), (8.0, pytest.approx(8e9))) in drawn
    assert ((8.0, 4e6),) in drawn
    assert ((2.0, 2e6),) in drawn
    rates = [line.get_ydata()[0] for line in beside.lines if line.get_marker() != "None"]
    assert rates == [pytest.approx(1e9)]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "attention (2)",
        "loss",
        "translate: encoder",
        "train: forward",
    ]


def test_the_measured_ceilings_are_drawn() -> None:
    _, roofline = _draw(record()).axes
    said = {text.get_text() for text in roofline.texts}
    assert said == {
        "copy in memory: 1 GB/s",
        "copy in caches: 4 GB/s",
        "bfloat16: 200 GFLOP/s",
        "float32: 100 GFLOP/s",
    }
    (x, y) = next(line.get_data() for line in roofline.lines if line.get_marker() == "None")
    assert y[0] / x[0] == pytest.approx(1e9)
    assert y[1] == pytest.approx(2e11)


def test_a_gpu_has_one_slope_and_without_measured_work_there_are_the_ceilings_alone() -> None:
    gpu = CPU.model_copy(update={"kind": "cuda", "name": "A GPU"})
    figure = _draw(record(device=gpu, kernels=None, translate=None, train=None))
    (roofline,) = figure.axes
    assert "copy in caches: 4 GB/s" not in [text.get_text() for text in roofline.texts]
    assert len(roofline.lines) == 1 + len(CEILINGS.flops_per_second)
    assert figure.get_suptitle() == "Roofline of A GPU, 2030-01-02"


def test_roofs_close_together_share_a_label() -> None:
    labels = _roof_labels({"float32": 5e13, "bfloat16": 7e14, "float16": 6.6e14})
    assert labels == [("bfloat16: 700 TFLOP/s, float16: 660 TFLOP/s", 7e14), ("float32: 50 TFLOP/s", 5e13)]


def test_rates_have_three_digits() -> None:
    assert [_said(rate, "B/s") for rate in (3.3512e12, 9.99e9, 12.0, 2e15)] == [
        "3.35 TB/s",
        "9.99 GB/s",
        "12 B/s",
        "2 PB/s",
    ]


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_equal_records_are_equal_files(suffix: str, tmp_path: Path) -> None:
    first, second = (tmp_path / f"{name}.{suffix}" for name in ("first", "second"))
    for path in (first, second):
        write_roofline(record(), path)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"first.{suffix}", f"second.{suffix}"]


def test_an_unknown_kind_of_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"roofline\.docx: there is no picture of this kind.*\.svg"):
        check_plot(tmp_path / "roofline.docx")
    with pytest.raises(UsageError, match="Expected a name that ends in one of"):
        write_roofline(record(), tmp_path / "roofline")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        write_roofline(record(), tmp_path / "nowhere" / "roofline.svg")


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BackendUnavailableError, match=r"pip install 'mtcli-nmt\[viz\]'"):
        write_roofline(record(), tmp_path / "roofline.svg")
    assert not any(tmp_path.iterdir())
