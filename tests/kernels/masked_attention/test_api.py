"""What masked attention refuses, and which of its forms it chooses."""

import subprocess
import sys

import pytest
import torch
from support.patience import PATIENCE

from mtcli_kernels.dispatch import UnavailableError
from mtcli_kernels.masked_attention import api, choice, masked_attention
from mtcli_kernels.packing import Packing

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"impl": "magic"}, "'magic' is not one of masked_attention's: auto, triton, sdpa, padded, reference"),
        ({"q": torch.zeros(3, 16)}, r"expected q \[N_q, H, D\] and k, v \[N_k, H, D\]; got q \[3, 16\]"),
        ({"k": torch.zeros(3, 2, 4)}, r"expected q .* k \[3, 2, 4\]"),
        ({"v": torch.zeros(2, 2, 8)}, r"expected q .* v \[2, 2, 8\]"),
        ({"k": torch.zeros(3, 2, 8).half()}, "share a dtype; got torch.float32, torch.float16 and torch.float32"),
        ({"v": torch.zeros(3, 2, 8, device="meta")}, "must be on one device; got cpu, cpu, meta, cpu and cpu"),
        ({"keys": Packing.of([3], "meta")}, "must be on one device; got cpu, cpu, cpu, cpu and meta"),
        ({"keys": Packing.of([2])}, "q has 3 rows and k 3, but the packings hold 3 and 2"),
        ({"keys": Packing.of([1, 2])}, "queries hold 1 sentences and keys 2: they must pair up"),
        ({"queries": Packing.of([1, 2]), "keys": Packing.of([2, 1]), "causal": True}, "equal lengths"),
        ({"dropout": 1.5}, r"dropout = 1\.5 is no probability"),
        ({"dropout": -0.1}, r"dropout = -0\.1 is no probability"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(change: dict[str, object], message: str) -> None:
    x = torch.zeros(3, 2, 8)
    arguments = {"q": x, "k": x, "v": x, "queries": Packing.of([3]), "keys": Packing.of([3])} | change
    with pytest.raises(ValueError, match=message):
        masked_attention(**arguments)  # type: ignore[arg-type]


def test_a_cpu_takes_the_padded_form() -> None:
    assert choice("auto", CPU, torch.float32, 64).impl == "padded"
    assert choice("reference", CPU, torch.float32, 64).impl == "reference"


def test_kernels_asked_for_by_name_say_why_they_cannot_run() -> None:
    packing, x = Packing.of([3]), torch.zeros(3, 2, 8, dtype=torch.float64)
    with pytest.raises(UnavailableError, match=r"masked_attention cannot run as 'triton': .* not float64"):
        masked_attention(x, x, x, packing, packing, impl="triton")


def test_attention_dropout_and_heads_too_large_take_sdpa_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    found = choice("auto", CUDA, torch.float16, 256)
    assert found.impl == "sdpa"
    assert "heads of up to 128" in found.reason
    # As on a GPU that the kernels are made for
    monkeypatch.setattr(api, "triton_obstacle", lambda *_: None)
    found = choice("auto", CUDA, torch.float16, 64, dropout=0.1)
    assert found.impl == "sdpa"
    assert "drop no attention weights; dropout = 0.1" in found.reason
    assert choice("triton", CUDA, torch.float16, 64).impl == "triton"
    with pytest.raises(UnavailableError, match="drop no attention weights"):
        choice("triton", CUDA, torch.float16, 64, dropout=0.1)


@pytest.mark.parametrize("impl", ["sdpa", "padded", "reference"])
def test_a_batch_without_sentences_is_empty(impl: str) -> None:
    packing, x = Packing.of([]), torch.zeros(0, 2, 8)
    assert masked_attention(x, x, x, packing, packing, causal=True, impl=impl).shape == (0, 2, 8)


def test_without_triton_all_but_the_kernels_runs() -> None:
    program = """
import sys
sys.modules["triton"] = None
import torch
from mtcli_kernels.masked_attention import masked_attention
from mtcli_kernels.packing import Packing
x, packing = torch.ones(3, 2, 8), Packing.of([1, 2])
for impl in ("auto", "sdpa", "padded", "reference"):
    assert masked_attention(x, x, x, packing, packing, impl=impl).allclose(x)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE)


@pytest.mark.parametrize("impl", ["padded", "sdpa"])
def test_gradients_flow_through_one_compiled_graph(impl: str) -> None:
    packing = Packing.of([3, 1])
    _ = packing.valid, packing.padded_places, packing.head_rows(2), packing.has_empty  # laid out before it is compiled
    q = torch.randn(4, 2, 16, requires_grad=True)

    def attend(x: torch.Tensor) -> torch.Tensor:
        return masked_attention(x, 2 * x, 3 * x, packing, packing, causal=True, impl=impl).sum()

    compiled = torch.compile(attend, fullgraph=True, backend="aot_eager")
    [ours], [expected] = (torch.autograd.grad(function(q), q) for function in (compiled, attend))
    torch.testing.assert_close(ours, expected)
