"""The section that trains, at its smallest sizes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support.bench_sections import CEILINGS, asked, whole
from support.tiny import write_untrained

from mtcli.bench.record.schema import Train
from mtcli.bench.training import section as train
from mtcli.bench.training.gradients import judged
from mtcli.bench.training.parts import PARTS
from mtcli.bench.training.section import measure_train
from mtcli.bench.training.updates import Entry, entries
from mtcli.training.step import TrainingStep
from mtcli_kernels.masked_attention import api as masked_attention

pytestmark = pytest.mark.usefixtures("one_thread")


def measure(**changes: Any) -> tuple[Train, list[str]]:
    left_out: list[str] = []
    return measure_train(asked(**changes), CEILINGS, left_out), left_out


def test_updates_of_a_random_model_are_measured() -> None:
    found, left_out = measure()
    assert left_out == []
    assert Train.model_validate_json(found.model_dump_json()) == found
    assert (found.model.name, found.model.random, found.dtype) == ("tiny", True, "float32")
    assert [check.passed for check in found.checks] == [True]
    [row] = found.rows
    assert (row.status, row.batch_tokens, row.way) == ("right", 60, "as by default")
    assert row.step_ms and row.tgt_tokens_per_second and row.flops_per_second and row.mfu and row.peak_gib
    assert 30 < row.tgt_tokens <= 60
    assert row.step_ms.repeats == 2
    assert row.flops_per_second == pytest.approx(row.flops / row.step_ms.median * 1e3)
    assert row.mfu == pytest.approx(row.flops_per_second / 1e11)


def test_an_update_has_parts_that_cost_what_it_costs() -> None:
    [row] = measure()[0].rows
    assert [phase.name for phase in row.phases] == list(PARTS)
    assert whole(row.phases)
    assert min(phase.seconds for phase in row.phases) > 0
    assert sum(phase.flops for phase in row.phases) == row.flops
    update = row.phases[-1]
    assert (update.flops, update.bytes) == (0, 32 * measure()[0].model.parameters)
    assert all(phase.fraction for phase in row.phases)


def test_bfloat16_is_held_against_its_own_ceiling() -> None:
    found, _ = measure(dtype="bfloat16")
    [row] = found.rows
    assert found.dtype == "bfloat16"
    assert row.mfu and row.flops_per_second and row.mfu == pytest.approx(row.flops_per_second / 2e11)


def test_float16_is_not_trained_in() -> None:
    found, left_out = measure(dtype="float16")
    assert found.dtype in ("float32", "bfloat16")
    assert left_out == ["train: float16, in which mtcli does not train"]


def test_a_model_directory_is_trained_and_stays_as_it_was(tmp_path: Path) -> None:
    model = write_untrained(tmp_path / "model")
    before = {file.name: file.read_bytes() for file in model.iterdir()}
    found, _ = measure(model=model)
    assert (found.model.name, found.model.random) == ("model", False)
    assert found.rows[0].status == "right"
    assert {file.name: file.read_bytes() for file in model.iterdir()} == before


def tampered(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    return lambda *arguments, **keywords: 1.5 * function(*arguments, **keywords)


def test_wrong_attention_gets_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = masked_attention._IN_PYTORCH
    monkeypatch.setitem(forms, "padded", tampered(forms["padded"]))
    found, _ = measure()
    assert [check.passed for check in found.checks] == [False]
    [row] = found.rows
    assert row.status == "wrong" and row.step_ms is None and row.mfu is None
    assert row.why is not None and "the loss" in row.why


def test_an_attention_that_cannot_run_is_not_called_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "entries", lambda asked: (Entry("auto", 60, 1, 1), Entry("triton", 60, 1, 1)))
    found, _ = measure()
    assert [row.status for row in found.rows] == ["cannot run", "right"]
    assert len(found.checks) == 1


def failing(message: str) -> Callable[..., None]:
    def step(*arguments: Any, **keywords: Any) -> None:
        raise RuntimeError(message)

    return step


@pytest.mark.parametrize(
    ("message", "status"), [("CUDA out of memory", "out of memory"), ("no such kernel", "cannot run")]
)
def test_an_update_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, message: str, status: str) -> None:
    monkeypatch.setattr(TrainingStep, "step", failing(message))
    [row] = measure()[0].rows
    assert (row.status, row.why, row.step_ms) == (status, f"RuntimeError: {message}", None)


def test_the_first_is_timed_however_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train._Section, "_to_come", lambda self, entry: 1000.0)
    found, _ = measure()
    assert found.rows[0].status == "right"


def test_without_time_everything_is_left_out() -> None:
    found, left_out = measure(seconds=-1.0)
    assert {row.status for row in found.rows} == {"left out"}
    assert found.checks == ()
    assert left_out == ["train: as by default, batches of 60 tokens"]


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
        found = entries(asked(**changes))
        assert found[0].attention == "auto"
        assert len({entry.name for entry in found}) == len(found)
