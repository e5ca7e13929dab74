"""The section of the kernels, on made-up operations: which are timed, which are not, and what is left out."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from support.bench_forms import case, double
from support.bench_records import CEILINGS

from mtcli.bench.kernels import section as kernels
from mtcli.bench.kernels.comparison import BrokenDeviceError, Case, Contestant
from mtcli.bench.kernels.forms import ON_CPU
from mtcli.bench.kernels.section import measure_kernels
from mtcli.bench.settings import Asked

REFERENCE = Contestant(name="reference", run=lambda x: (x + x,))


def slow(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    time.sleep(0.01)
    return (2 * x,)


def ours(run: Any, name: str = "doubling", **changes: Any) -> Case:
    """A case of a kernel, beside the plain form and another way."""
    contestants = (Contestant(name="padded", run=run), REFERENCE, Contestant(name="2 * x", run=double, prepared=True))
    return case(name, **{"contestants": contestants, "lineup": ON_CPU} | changes)


class MadeUp:
    """An operation with these cases."""

    def __init__(self, *cases: Case) -> None:
        self._cases = cases

    def cases(self, setting: object) -> Iterator[Case]:
        yield from self._cases


def measured(
    monkeypatch: pytest.MonkeyPatch, seconds: float = 60.0, toy: bool = True, **operations: MadeUp
) -> tuple[dict[str, Any], list[str], list[str]]:
    """Rows by operation, sentences about what was left out, and what was said."""
    monkeypatch.setattr(kernels, "OPERATIONS", tuple(operations))
    monkeypatch.setattr(kernels, "operation", operations.__getitem__)
    left_out: list[str] = []
    said: list[str] = []
    asked = Asked(torch_device="cpu", seed=1, ends_at=time.monotonic() + seconds, toy=toy, say=said.append)
    found = measure_kernels(asked, CEILINGS, left_out)
    assert found.ours == "padded"
    return dict(found.operations), left_out, said


def contestant(row: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in row["contestants"] if one["name"] == name]
    return dict(found)


def test_a_wrong_kernel_is_reported_and_gets_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, left_out, _ = measured(monkeypatch, tripling=MadeUp(ours(lambda x: (3 * x,))))
    (row,) = rows["tripling"]
    wrong = contestant(row, "padded")
    assert wrong["status"] == "wrong"
    assert wrong["why"].startswith("output 0: largest error")
    assert not {"eager", "graph", "fraction", "bytes_per_second"} & set(wrong)
    assert "eager" in contestant(row, "reference")
    assert row["torch_best"]["eager"] is None
    assert left_out == []


def test_a_kernel_of_nans_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _, _ = measured(monkeypatch, nothing=MadeUp(ours(lambda x: (x * float("nan"),))))
    assert contestant(rows["nothing"][0], "padded")["status"] == "wrong"


def test_a_slow_kernel_is_reported_as_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _, _ = measured(monkeypatch, toy=False, sleeping=MadeUp(ours(slow)))
    (row,) = rows["sleeping"]
    found = contestant(row, "padded")
    assert found["status"] == "right"
    assert found["eager"]["median"] > 1e4
    assert found["fraction"] < 1e-4
    assert row["torch_best"]["eager"]["speedup"] < 0.5
    assert row["torch_alike"]["eager"]["name"] == "reference"  # the other one had its inputs prepared


def test_a_right_kernel_is_held_against_the_ceilings(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _, _ = measured(monkeypatch, doubling=MadeUp(ours(double)))
    (row,) = rows["doubling"]
    assert row["floor_us"] == pytest.approx(64 / 4e9 * 1e6)  # 64 bytes, which a copy within the caches moves
    found = contestant(row, "padded")
    assert found["fraction"] == pytest.approx(row["floor_us"] / found["eager"]["median"])


def test_operations_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    first = MadeUp(ours(double, "a"), ours(double, "b"))
    _, _, said = measured(monkeypatch, first=first, second=MadeUp(ours(double, "c")))
    assert said == ["kernels: first, a, forward", "kernels: second, c, forward", "kernels: first, b, forward"]


def test_what_there_is_no_time_for_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    many = MadeUp(*(ours(double, name) for name in "abc"))
    rows, left_out, _ = measured(monkeypatch, seconds=0.0, doubling=many)
    assert rows == {"doubling": ()}
    assert left_out == ["kernels: doubling: 3 of 3 shapes, the next being a, forward."]


def test_one_is_measured_however_short_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    many = MadeUp(*(ours(double, name) for name in "ab"))
    monkeypatch.setattr(kernels._Queue, "seconds", lambda self, case: 1000.0)
    rows, left_out, _ = measured(monkeypatch, doubling=many, tripling=MadeUp(ours(double, "c")))
    assert [row["case"] for row in rows["doubling"]] == ["a"]
    assert left_out == [
        "kernels: doubling: 1 of 2 shapes, the next being b, forward.",
        "kernels: tripling: 1 of 1 shapes, the next being c, forward.",
    ]


def test_a_broken_device_ends_the_section_and_keeps_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    real = kernels.measure

    def breaking(one: Case, *arguments: Any) -> dict[str, Any]:
        if one.name == "b":
            raise BrokenDeviceError("triton broke the CUDA context (an illegal memory access).")
        return real(one, *arguments)

    monkeypatch.setattr(kernels, "measure", breaking)
    first = MadeUp(*(ours(double, name) for name in "abc"))
    rows, left_out, _ = measured(monkeypatch, first=first, second=MadeUp(ours(double, "d")))
    assert [row["case"] for row in rows["first"]] == ["a"]
    assert [row["case"] for row in rows["second"]] == ["d"]
    (sentence,) = left_out
    told = "first, b, forward: triton broke the CUDA context (an illegal memory access)."
    assert told in sentence
    asked = Asked(torch_device="cpu", seed=1, ends_at=time.monotonic() + 60.0, toy=True)
    assert measure_kernels(asked, CEILINGS, []).broken == told


def test_all_operations_run_on_a_cpu() -> None:
    left_out: list[str] = []
    asked = Asked(torch_device="cpu", seed=1, ends_at=time.monotonic() + 60.0, toy=True)
    found = measure_kernels(asked, CEILINGS, left_out)
    assert left_out == []
    assert tuple(found.operations) == kernels.OPERATIONS
    for name, rows in found.operations.items():
        for row in rows:
            assert {one["status"] for one in row["contestants"]} == {"right"}, (name, row)
            assert row["torch_best"]["eager"]["speedup"] > 0
