"""The section of the kernels: an operation in a process of its own, its time, and what is left when it breaks down."""

from dataclasses import replace
from typing import Any

import pytest
from support import bench_forms
from support.bench_records import CEILINGS, findings, recorded, settings

from mtcli.bench.kernels import section
from mtcli.bench.kernels.section import CaseReport, OperationTask, measure_kernels, measured, reports
from mtcli.bench.record.schema import BenchRecord
from mtcli.bench.settings import OPERATIONS, BenchSettings


def task(seconds: float = 60.0, **changes: Any) -> OperationTask:
    fields = {"name": "made_up", "module": bench_forms.__name__, "settings": settings(), "ceilings": CEILINGS}
    return OperationTask(**{**fields, "seconds": seconds, **changes})


def ended(found: list[CaseReport]) -> list[tuple[str, str | None]]:
    """What became of mtcli's own way in each case that is over."""
    return [(row.status, row.why) for one in found if one.is_over for row in one.rows if row.ours]


def test_a_process_that_dies_becomes_a_row_that_says_why() -> None:
    found = list(reports(task()))
    assert [(one.number, one.is_over) for one in found] == [(0, False), (0, True), (1, False), (1, True)]
    assert ended(found) == [("right", None), ("cannot run", "its process died of SIGSEGV")]
    assert found[-1].is_broken


def test_another_process_goes_on_behind_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = section.reports
    monkeypatch.setattr(
        section, "reports", lambda told: begin(replace(told, name="made_up", module=bench_forms.__name__))
    )
    saved: list[BenchRecord] = []
    found = findings(saved)
    measure_kernels(settings(operations=("beam_step",)), found)
    rows = {row.case: row for row in recorded(found).rows if row.ours}
    assert [row.status for row in rows.values()] == ["right", "cannot run", "right"]
    assert recorded(found).faults() == [
        "kernels: made_up, second, forward, float32, padded: cannot run: its process died of SIGSEGV."
    ]
    assert len(saved) == 3, "the record is saved case by case"


def test_without_time_nothing_is_begun() -> None:
    [report] = measured(task(seconds=0.0))
    assert (report.num_left, report.title) == (3, "first, forward")
    found = findings()
    measure_kernels(settings(seconds=-1.0, operations=("beam_step",)), found)
    assert recorded(found).left_out == ("kernels: beam_step: all shapes behind the start",)


def test_one_is_measured_however_short_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(BenchSettings, "left", lambda self: 2.0 - next(clock))
    found = list(measured(task(seconds=2.0)))
    assert ended(found[:2]) == [("right", None)]
    assert found[-1].num_left == 2


def test_all_operations_run_on_a_cpu() -> None:
    found = findings()
    measure_kernels(settings(), found)
    record = recorded(found)
    assert record.left_out == ()
    assert list(dict.fromkeys(row.name for row in record.rows)) == list(OPERATIONS)
    assert {row.status for row in record.rows} == {"right"}
    assert all(row.figures for row in record.rows)
