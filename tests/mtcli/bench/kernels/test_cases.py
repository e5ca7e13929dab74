"""What is measured of each operation: the plans of both devices, and small cases computed in plain PyTorch."""

import importlib

import pytest
import torch
from support.bench_records import CEILINGS, settings

from mtcli.bench.contest.timing import Stopwatch
from mtcli.bench.kernels.comparison import CaseContest
from mtcli.bench.kernels.forms import KERNELS, OLD_GPU, ON_CPU, OperationCase, exact_form, lineup_on
from mtcli.bench.kernels.launch import launch
from mtcli.bench.record.schema import KERNEL, PADDED
from mtcli.bench.settings import OPERATIONS


@pytest.fixture
def hopper(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan asks for the GPU's age; no tensor is made."""
    monkeypatch.setattr("mtcli_kernels.dispatch._triton_obstacle", lambda device, *_: None)


def cases_of(name: str, device: str, toy: bool = False) -> list[OperationCase]:
    module = importlib.import_module(f"mtcli.bench.kernels.{name}")
    cases: list[OperationCase] = list(module.cases(settings(torch_device=device, toy=toy, seed=3)))
    titles = [(case.title, case.dtype) for case in cases]
    assert len(set(titles)) == len(titles)
    for case in cases:
        names = [one.name for one in case.variants]
        assert len(set(names)) == len(names) > 1
        assert {case.lineup.ours, case.lineup.plain} <= set(names)
        assert case.cost.bytes > 0
    return cases


@pytest.mark.usefixtures("hopper")
@pytest.mark.parametrize("name", OPERATIONS)
def test_the_plan_of_a_gpu(name: str) -> None:
    for case in cases_of(name, "cuda"):
        assert [one.name for one in case.variants][:2] == [KERNEL, PADDED]
        assert case.dtype in (torch.float16, torch.bfloat16) or name == "beam_step"


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_plan_of_a_cpu_has_what_runs_there(name: str) -> None:
    for case in cases_of(name, "cpu"):
        names = [one.name for one in case.variants]
        assert case.lineup.ours == names[0] == PADDED
        assert not {KERNEL, "torch.compile", "varlen_attn", "sdpa cudnn"} & set(names)
        assert case.dtype == torch.float32


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_cpu_computes_toy_cases_right(name: str) -> None:
    one_slot = [case for case in cases_of(name, "cpu") if "slots 1," in case.name]
    for case in [*cases_of(name, "cpu", toy=True), *one_slot]:
        rows = CaseContest(name, case, CEILINGS, Stopwatch("cpu", rehearsal=True), 3).rows()
        assert {row.status for row in rows} == {"right"}, (case.title, rows)


def test_mtcli_takes_what_the_device_can_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lineup_on("cpu") == ON_CPU
    assert exact_form(torch.device("cpu")) == ("reference", torch.float64)
    obstacles = {"cuda": None, "cuda:1": "the kernels need a GPU of compute capability 8.0"}
    monkeypatch.setattr("mtcli_kernels.dispatch._triton_obstacle", lambda device, *_: obstacles[str(device)])
    assert lineup_on("cuda") == KERNELS
    assert lineup_on("cuda:1") == OLD_GPU


def test_a_memory_checker_sees_every_operation_launched(capsys: pytest.CaptureFixture[str]) -> None:
    launch(OPERATIONS, device="cpu")
    assert capsys.readouterr().out.splitlines() == [f"launched {name}" for name in OPERATIONS]
