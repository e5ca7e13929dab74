"""The section that trains, at its smallest sizes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support.bench_records import findings, recorded, settings
from support.tiny import write_untrained

from mtcli.bench.record.schema import MEMORY, BenchRecord
from mtcli.bench.training import section
from mtcli.bench.training.gradients import judged
from mtcli.bench.training.parts import PARTS
from mtcli.bench.training.section import measure_train, ways
from mtcli.training.step import TrainingStep
from mtcli_kernels.masked_attention import api as masked_attention

pytestmark = pytest.mark.usefixtures("one_thread")


def measure(**changes: Any) -> BenchRecord:
    found = findings()
    measure_train(settings(**changes), found)
    return recorded(found)


def test_updates_of_a_random_model_are_measured() -> None:
    found = measure()
    work = found.workloads["train"]
    assert found.left_out == () and work.model.startswith("tiny, ") and work.dtype == "float32"
    assert [check.passed for check in work.checks] == [True]
    [row] = found.rows
    assert (row.status, row.case) == ("right", "as by default, 60 tokens a batch")
    assert list(row.figures) == ["update (ms)", "target tokens/s", MEMORY]
    update = row.figures["update (ms)"]
    assert update.repeats == 2
    assert 30 < row.figures["target tokens/s"].median * update.median / 1e3 < 70
    assert row.fraction == pytest.approx(row.flops / update.median * 1e3 / 1e11, rel=1e-3)
    assert [phase.name for phase in row.phases] == list(PARTS)
    assert sum(phase.share for phase in row.phases) == pytest.approx(1.0, rel=1e-3)
    assert min(phase.seconds for phase in row.phases) > 0
    assert sum(phase.flops for phase in row.phases) == row.flops
    assert row.phases[-1].flops == 0 and row.phases[-1].bytes > 0
    assert all(phase.fraction for phase in row.phases)


def test_bfloat16_is_held_against_its_own_ceiling() -> None:
    [row] = measure(dtype="bfloat16").rows
    assert row.dtype == "bfloat16"
    assert row.fraction == pytest.approx(row.flops / row.figures["update (ms)"].median * 1e3 / 2e11, rel=1e-3)


def test_float16_is_not_trained_in() -> None:
    found = measure(dtype="float16")
    assert found.workloads["train"].dtype in ("float32", "bfloat16")
    assert found.left_out == ("train: float16, in which mtcli does not train",)


def test_a_model_directory_is_trained_and_stays_as_it_was(tmp_path: Path) -> None:
    model = write_untrained(tmp_path / "model")
    before = {file.name: file.read_bytes() for file in model.iterdir()}
    found = measure(model=model)
    assert found.workloads["train"].model.startswith("model, ") and found.rows[0].status == "right"
    assert {file.name: file.read_bytes() for file in model.iterdir()} == before


def tampered(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    return lambda *arguments, **keywords: 1.5 * function(*arguments, **keywords)


def test_wrong_attention_gets_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = masked_attention._IN_PYTORCH
    monkeypatch.setitem(forms, "padded", tampered(forms["padded"]))
    found = measure()
    assert [check.passed for check in found.workloads["train"].checks] == [False]
    [row] = found.rows
    assert row.status == "wrong" and not row.figures and row.fraction is None
    assert row.why is not None and "the loss" in row.why


def test_an_attention_that_cannot_run_is_not_called_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(section, "ways", lambda settings: (("auto", 60), ("triton", 60)))
    found = measure()
    assert [row.status for row in found.rows] == ["right", "cannot run"]
    assert len(found.workloads["train"].checks) == 1


def failing(message: str) -> Callable[..., None]:
    def step(*arguments: Any, **keywords: Any) -> None:
        raise RuntimeError(message)

    return step


@pytest.mark.parametrize(
    ("message", "status"), [("CUDA out of memory", "out of memory"), ("no such kernel", "cannot run")]
)
def test_an_update_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, message: str, status: str) -> None:
    monkeypatch.setattr(TrainingStep, "step", failing(message))
    [row] = measure().rows
    assert (row.status, row.why, row.figures) == (status, f"RuntimeError: {message}", {})


def test_without_time_everything_is_left_out() -> None:
    found = measure(seconds=-1.0)
    assert {row.status for row in found.rows} == {"left out"}
    assert found.workloads["train"].checks == ()
    assert found.left_out == ("train: as by default, 60 tokens a batch",)


@pytest.mark.parametrize(
    ("numbers", "passed"),
    [
        ({"loss": 4.0, "norm": 2.0}, True),
        ({"loss": 4.01, "norm": 2.05}, True),
        ({"loss": 4.1, "norm": 2.0}, False),
        ({"loss": 4.0, "norm": float("nan")}, False),
    ],
)
def test_a_loss_or_a_gradient_that_differs_is_wrong(numbers: dict[str, float], passed: bool) -> None:
    right = {"loss": 4.0, "norm": 2.0}
    assert judged(numbers, right, "bfloat16")[0] is passed
    assert judged(right, right, "float32")[0]


def test_the_default_comes_first() -> None:
    for changes in ({}, {"toy": False}, {"toy": False, "torch_device": "cuda"}):
        found = ways(settings(**changes))
        assert found[0][0] == "auto" and len(set(found)) == len(found)
