"""Devices and number types: what is there is taken, what is not is a sentence."""

import math

import pytest
import torch

from mtcli import devices
from mtcli.devices import resolve_device, resolve_dtype
from mtcli.errors import BackendUnavailableError

CUDA = torch.device("cuda")
BUILT_FOR = ["sm_75", "sm_80", "sm_86", "sm_90", "compute_90"]


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine with one A100, as far as torch.cuda tells."""
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    answers = {
        "is_available": True,
        "device_count": 1,
        "init": None,
        "get_device_capability": (8, 0),
        "get_arch_list": BUILT_FOR,
        "get_device_name": "NVIDIA A100",
    }
    for name, answer in answers.items():
        monkeypatch.setattr(torch.cuda, name, lambda *args, answer=answer: answer)
    return monkeypatch


def refusal(name: str) -> str:
    with pytest.raises(BackendUnavailableError) as error:
        resolve_device(name)
    return str(error.value)


def test_the_cpu_is_always_there() -> None:
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["", "tpu", "CUDA", "cuda:", "cuda:-1", "cuda:1x", "cuda:٣", "cuda:0\n", "mps"])
def test_other_names_are_refused(name: str) -> None:
    assert "Expected auto, cpu, cuda or cuda:N" in refusal(name)


def test_a_torch_for_cpus_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None)
    assert "built for CPUs alone. Use --device cpu" in refusal("cuda")


def test_auto_takes_the_gpu(gpu: pytest.MonkeyPatch) -> None:
    assert resolve_device("auto") == CUDA
    assert resolve_device("cuda:0") == torch.device("cuda:0")
    gpu.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == torch.device("cpu")


def test_an_absent_gpu_is_refused(gpu: pytest.MonkeyPatch) -> None:
    assert "--device cuda:1: this machine shows 1 CUDA device(s). Use --device cpu" in refusal("cuda:1")
    assert "shows 1" in refusal("cuda:" + "9" * 50)
    gpu.setattr(torch.cuda, "device_count", lambda: 0)
    assert "finds no CUDA device here" in refusal("cuda")


@pytest.mark.parametrize(
    ("capability", "runs"), [((6, 1), False), ((7, 0), False), ((7, 5), True), ((8, 9), True), ((12, 0), True)]
)
def test_a_gpu_of_another_age(
    capability: tuple[int, int], runs: bool, gpu: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gpu.setattr(torch.cuda, "get_device_capability", lambda *args: capability)
    if runs:
        assert resolve_device("cuda") == CUDA
        return
    message = refusal("cuda")
    assert f"NVIDIA A100 (sm_{capability[0]}{capability[1]}) is not one of those" in message
    assert "sm_75, sm_80" in message
    assert resolve_device("auto") == torch.device("cpu")
    assert "Running on the CPU" in caplog.text


def test_architectures_of_other_makers_are_not_judged(gpu: pytest.MonkeyPatch) -> None:
    gpu.setattr(torch.cuda, "get_arch_list", lambda: ["gfx90a"])
    assert resolve_device("cuda") == CUDA


def test_a_driver_that_is_too_old(gpu: pytest.MonkeyPatch) -> None:
    def init() -> None:
        raise RuntimeError("The NVIDIA driver on your system is too old (found version 11040). Please update.\nMore")

    gpu.setattr(torch.cuda, "init", init)
    assert "CUDA does not start: The NVIDIA driver on your system is too old" in refusal("cuda")
    assert resolve_device("auto") == torch.device("cpu")


@pytest.mark.parametrize(("times_faster", "expected"), [(2.6, torch.bfloat16), (0.1, torch.float32)])
def test_a_processor_is_asked_which_number_type_it_multiplies_faster(
    monkeypatch: pytest.MonkeyPatch, times_faster: float, expected: torch.dtype
) -> None:
    monkeypatch.setattr(devices, "_times_faster_in_bfloat16", lambda: times_faster)
    assert resolve_dtype("auto", torch.device("cpu")) == expected


def test_the_answer_of_a_processor_is_a_ratio_and_the_same_next_time() -> None:
    found = devices._times_faster_in_bfloat16()
    assert 0 < found < math.inf
    assert devices._times_faster_in_bfloat16() == found


def test_number_types_that_the_device_lacks(gpu: pytest.MonkeyPatch) -> None:
    assert resolve_dtype("auto", CUDA) == torch.bfloat16
    assert resolve_dtype("float16", CUDA) == torch.float16
    with pytest.raises(BackendUnavailableError, match=r"float16 is not supported on a CPU. Use --dtype float32"):
        resolve_dtype("float16", torch.device("cpu"))
    with pytest.raises(BackendUnavailableError, match="Expected one of auto, float32, bfloat16, float16"):
        resolve_dtype("int4", CUDA)
    with pytest.raises(BackendUnavailableError, match="the native engine of mtcli translate has int8"):
        resolve_dtype("int8", torch.device("cpu"))
    gpu.setattr(torch.cuda, "get_device_capability", lambda *args: (7, 5))
    assert resolve_dtype("auto", CUDA) == torch.float32
    with pytest.raises(BackendUnavailableError, match=r"NVIDIA A100 has none. Use --dtype float32 or float16"):
        resolve_dtype("bfloat16", CUDA)
