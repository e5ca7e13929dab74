"""What is timed, what is not, and what the rows say, on made-up operations."""

from typing import Any

import pytest
import torch
from support.bench_forms import case, double
from support.bench_records import CEILINGS

from mtcli.bench.contest.failures import BrokenDeviceError
from mtcli.bench.contest.timing import Stopwatch
from mtcli.bench.kernels.comparison import CaseContest
from mtcli.bench.kernels.forms import OperationCase, Variant
from mtcli.bench.record.schema import DEFINITION, GRAPH_TIME, PADDED, TIME, BenchRow


def measured(one: OperationCase, *, rehearsal: bool = True) -> dict[str, BenchRow]:
    return {row.by: row for row in CaseContest("op", one, CEILINGS, Stopwatch("cpu", rehearsal), 1).rows()}


def test_only_right_variants_are_timed() -> None:
    found = measured(case(in_graph=True))
    assert [row.status for row in found.values()] == ["right", "right", "wrong", "cannot run"]
    assert [by for by, row in found.items() if set(row.figures) == {TIME, GRAPH_TIME}] == [PADDED, DEFINITION]
    assert found["failing"].why == "RuntimeError: it needs another GPU"
    assert (found["wrong"].why or "").startswith("output 0: largest error")
    assert not found["wrong"].figures and found["wrong"].fraction is None
    assert [by for by, row in found.items() if row.ours] == [PADDED]


def test_a_right_one_is_held_against_the_ceilings() -> None:
    row = measured(case(in_graph=True))[PADDED]
    floor = 64 / 4e10 * 1e6  # 64 bytes, which a copy within the caches moves
    assert row.main and row.fraction == pytest.approx(floor / row.figures[GRAPH_TIME].median)
    assert (row.bytes, row.flops, row.case) == (64, 8, "doubling, forward, float32")


def test_a_kernel_of_nans_is_wrong() -> None:
    assert measured(case(ours=lambda x: (x * float("nan"),)))[PADDED].status == "wrong"


def test_where_the_plain_form_fails_the_others_are_still_judged() -> None:
    def fail(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        raise ValueError("no")

    found = measured(case(variants=(Variant(name=PADDED, run=double), Variant(name=DEFINITION, run=fail))))
    assert [row.status for row in found.values()] == ["right", "cannot run"]


def test_what_a_call_destroys_is_put_back() -> None:
    class Inputs:
        def __init__(self) -> None:
            self.x, self.kept = torch.ones(4), torch.ones(4)

    def destroy(inputs: Inputs) -> tuple[torch.Tensor, ...]:
        return (inputs.x.mul_(2),)

    destroying = case(
        make=lambda seed: Inputs(),
        exact=lambda inputs: (2 * inputs.kept,),
        variants=(Variant(name=PADDED, run=destroy), Variant(name=DEFINITION, run=destroy)),
        before=lambda inputs: inputs.x.copy_(inputs.kept),
        in_graph=True,
    )
    assert [row.status for row in measured(destroying, rehearsal=False).values()] == ["right", "right"]


def test_a_broken_device_ends_the_contest(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise RuntimeError("an illegal memory access was encountered")

    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", broken)
    with pytest.raises(BrokenDeviceError, match=r"failing broke the CUDA context \(RuntimeError: it needs another GPU"):
        measured(case())
