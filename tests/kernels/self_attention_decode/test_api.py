"""What self-attention at decoding refuses, and which form it chooses."""

import subprocess
import sys
from typing import Any

import pytest
import torch
from support.decoding_cases import self_case

from mtcli_kernels.decoding_layout import BeamPlaces
from mtcli_kernels.dispatch import UnavailableError
from mtcli_kernels.self_attention_decode import OFFERED, choice, self_attention_decode

CPU = torch.device("cpu")


def places(slots: int = 2, beam: int = 3, steps: int = 4, longest: int = 1, **to: Any) -> BeamPlaces:
    ancestry = torch.zeros(slots, beam, steps, dtype=torch.int32, **to)
    return BeamPlaces(ancestry, torch.zeros(slots, dtype=torch.int32, **to), longest)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": torch.zeros(6, 2, 4)}, r"q, k, v of one shape \[S\*K, H, D\]; got \[6, 2, 8\], \[6, 2, 4\]"),
        ({"q": torch.zeros(6, 16)}, r"got \[6, 16\], \[6, 2, 8\]"),
        ({"v_cache": torch.zeros(2, 2, 9, 8)}, r"got \[2, 2, 12, 8\] and \[2, 2, 9, 8\]"),
        (
            {"k_cache": torch.zeros(2, 1, 12, 8), "v_cache": torch.zeros(2, 1, 12, 8)},
            r"\[S, H, T\*K, D\] for q \[6, 2, 8\]; got \[2, 1, 12, 8\]",
        ),
        ({"v": torch.zeros(6, 2, 8, dtype=torch.float16)}, "of one floating-point type; got torch.float32, torch"),
        ({"k_cache": torch.zeros(2, 2, 12, 8, device="meta")}, "on one device; got them on cpu, cpu, cpu, meta"),
        (
            {"k_cache": torch.zeros(2, 2, 8, 12).transpose(2, 3)},
            "last axis is adjacent in memory; got strides 12 and 1",
        ),
        ({"places": places(slots=3)}, r"for the caches' 2 slots; got \[3, 3, 4\] and \[3\]"),
        ({"places": places(beam=2)}, "q has 6 rows; expected 2 slots of 2 hypotheses"),
        ({"places": places(device="meta")}, "expected the places on cpu, where q is"),
        (
            {"places": places(steps=9, longest=4)},
            r"step 4 of 3 hypotheses needs 15 entries and 5 steps; the caches have 12",
        ),
        ({"places": places(steps=2, longest=2)}, "the caches have 12 entries and the ancestry 2 steps"),
        ({"impl": "magic"}, "impl = 'magic' is not one of self_attention_decode's: auto, triton, sdpa"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(change: dict[str, object], message: str) -> None:
    x, cache = torch.zeros(6, 2, 8), torch.zeros(2, 2, 12, 8)
    arguments = {"q": x, "k": x, "v": x, "k_cache": cache, "v_cache": cache.clone(), "places": places()} | change
    with pytest.raises(ValueError, match=message):
        self_attention_decode(**arguments)  # type: ignore[arg-type]


def test_a_cpu_takes_the_padded_form() -> None:
    assert choice("auto", CPU, torch.float32, 64).impl == "padded"
    case = self_case([3, 5], unwritten=0.0)
    ours = self_attention_decode(*case.copy().arguments)
    assert ours.equal(self_attention_decode(*case.copy().arguments, impl="padded"))


def test_the_kernel_does_not_give_way_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(UnavailableError, match="self_attention_decode cannot run as 'triton': the tensors are on"):
        self_attention_decode(*self_case([3, 5]).arguments, impl="triton")


def test_beams_beyond_the_kernels_largest_tile_are_an_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton")
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert choice("triton", CPU, torch.float32, 64, beam=64).impl == "triton"
    with pytest.raises(UnavailableError, match="up to 64 hypotheses a slot; there are 65"):
        choice("triton", CPU, torch.float32, 64, beam=65)


@pytest.mark.parametrize("impl", [form for form in OFFERED if form != "triton"])
def test_no_slots(impl: str) -> None:
    assert self_attention_decode(*self_case([]).arguments, impl=impl).shape == (0, 2, 16)


def test_it_runs_where_triton_cannot_be_imported() -> None:
    program = (
        "import sys; sys.modules['triton'] = None\n"
        "import torch\n"
        "from mtcli_kernels.self_attention_decode import self_attention_decode\n"
        "from mtcli_kernels.decoding_layout import BeamPlaces\n"
        "zero = torch.zeros(1, dtype=torch.int32)\n"
        "x, cache = torch.ones(1, 1, 8), torch.zeros(1, 1, 4, 8)\n"
        "places = BeamPlaces(zero.view(1, 1, 1), zero, 0)\n"
        "print(self_attention_decode(x, x, x, cache, cache.clone(), places).sum().item(), cache.sum().item())\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.stdout == "8.0 8.0\n", run.stderr
