"""Where Triton cannot be imported, the package can, and every operation runs in every form but the kernels."""

import subprocess
import sys

import pytest

BLOCKED = """
import sys
sys.modules["triton"] = None  # any import of it fails
sys.modules["triton.language"] = None

import torch
from mtcli_kernels.beam_step import BeamRules, BeamState, beam_step
from mtcli_kernels.cross_attention_decode import cross_attention_decode
from mtcli_kernels.cross_entropy import cross_entropy, linear_cross_entropy
from mtcli_kernels.decoding_layout import BeamPlaces, SourceRegions
from mtcli_kernels.masked_attention import masked_attention
from mtcli_kernels.packing import Packing
from mtcli_kernels.self_attention_decode import self_attention_decode

impl = sys.argv[1]
other = "auto" if impl == "sdpa" else impl
x = torch.randn(4, 2, 8)
packing = Packing.of([3, 1])
assert masked_attention(x, x, x, packing, packing, causal=True, impl=impl).isfinite().all()
lengths = torch.tensor([3, 1], dtype=torch.int32)
regions = SourceRegions(torch.tensor([0, 3], dtype=torch.int32), lengths, 3)
assert cross_attention_decode(x, x, x, regions, impl=impl).isfinite().all()
by_slot = torch.randn(2, 2, 3, 8)
regions = SourceRegions(None, lengths, 3)
assert cross_attention_decode(x, by_slot, by_slot, regions, impl=impl).isfinite().all()
ancestry = torch.arange(2, dtype=torch.int32)[None, :, None].repeat(2, 1, 4)
places = BeamPlaces(ancestry, torch.zeros(2, dtype=torch.int32), longest=0)
cache = torch.zeros(2, 2, 8, 8)
assert self_attention_decode(x, x, x, cache, cache.clone(), places, impl=impl).isfinite().all()
state = BeamState.empty(2, 2, 5)
state.admit([0, 1], [5, 5], 1)
beam_step(torch.randn(4, 9), state, BeamRules.of(vocab_size=9, eos_id=2, max_steps=5, length_penalty=1.0), impl=other)
assert state.positions.tolist() == [1, 1]
targets = torch.tensor([0, 3, 5, 8])
assert cross_entropy(torch.randn(4, 9), targets, impl=other)[0].isfinite().all()
loss, _ = linear_cross_entropy(torch.randn(4, 6), torch.randn(9, 6), targets, label_smoothing=0.1, impl=other)
assert loss.isfinite()
"""


@pytest.mark.parametrize("impl", ["auto", "reference", "padded", "sdpa"])
def test_every_operation_runs(impl: str) -> None:
    finished = subprocess.run([sys.executable, "-c", BLOCKED, impl], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


def test_kernels_that_are_asked_for_say_what_is_missing() -> None:
    probe = (
        "import sys; sys.modules['triton'] = None; import os; os.environ['TRITON_INTERPRET'] = '1'; import torch\n"
        "from mtcli_kernels.cross_entropy import choice\n"
        "choice('triton', torch.device('cpu'), torch.float32)"
    )
    finished = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert finished.returncode == 1
    assert "cross_entropy cannot run as 'triton': Triton cannot be imported" in finished.stderr
