"""What is measured of each operation: the plans of both devices, and small cases computed in plain PyTorch."""

from dataclasses import dataclass

import pytest
import torch

from mtcli.bench.kernels.comparison import Case, _check_all, operation
from mtcli.bench.kernels.forms import KERNELS, OLD_GPU, ON_CPU, exact_form, lineup_on
from mtcli.bench.record.rows import EAGER, OURS

OPERATIONS = ("beam_step", "cross_attention_decode", "cross_entropy", "masked_attention", "self_attention_decode")


@dataclass(frozen=True)
class Full:
    """Everything, at full size."""

    torch_device: str = "cuda"
    toy: bool = False
    seed: int = 3

    def left(self) -> float:
        return 1000.0


@pytest.fixture
def hopper(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan asks for the GPU's age; no tensor is made."""
    monkeypatch.setattr("mtcli_kernels.dispatch._triton_obstacle", lambda device, *_: None)


def cases_of(name: str, setting: Full) -> list[Case]:
    cases = list(operation(name).cases(setting))
    titles = [(case.title, case.dtype) for case in cases]
    assert len(set(titles)) == len(titles)
    for case in cases:
        names = [one.name for one in case.contestants]
        assert len(set(names)) == len(names) > 1
        assert {case.lineup.ours, case.lineup.plain} <= set(names)
        assert case.cost.bytes > 0
        assert case.direction in ("forward", "forward and backward")
    return cases


@pytest.mark.usefixtures("hopper")
@pytest.mark.parametrize("name", OPERATIONS)
def test_the_plan_of_a_gpu(name: str) -> None:
    for case in cases_of(name, Full()):
        assert [one.name for one in case.contestants][:2] == [OURS, EAGER]
        assert case.dtype in (torch.float16, torch.bfloat16) or name == "beam_step"


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_plan_of_a_cpu_has_what_runs_there(name: str) -> None:
    for case in cases_of(name, Full("cpu")):
        names = [one.name for one in case.contestants]
        assert case.lineup.ours == names[0] == EAGER
        assert not {OURS, "torch.compile", "varlen_attn", "sdpa cudnn"} & set(names)
        assert case.dtype == torch.float32


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_cpu_computes_toy_cases_right(name: str) -> None:
    for case in operation(name).cases(Full("cpu", toy=True)):
        found = _check_all(case, case.make(Full.seed))
        assert {one["status"] for one in found.values()} == {"right"}, (case.title, found)


@pytest.mark.parametrize("name", ["beam_step", "cross_attention_decode", "self_attention_decode"])
def test_one_slot_of_the_plan_is_computed_right(name: str) -> None:
    for case in operation(name).cases(Full("cpu")):
        if case.shape["slots"] == 1:
            found = _check_all(case, case.make(Full.seed))
            assert {one["status"] for one in found.values()} == {"right"}, (case.title, found)


def test_mtcli_takes_what_the_device_can_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lineup_on("cpu") == ON_CPU
    assert exact_form(torch.device("cpu")) == ("reference", torch.float64)
    obstacles = {"cuda": None, "cuda:1": "the kernels need a GPU of compute capability 8.0"}
    monkeypatch.setattr("mtcli_kernels.dispatch._triton_obstacle", lambda device, *_: obstacles[str(device)])
    assert lineup_on("cuda") == KERNELS
    assert lineup_on("cuda:1") == OLD_GPU
