"""What the attentions of a decoding step have in common: their shapes, and how PyTorch's attention answers."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import torch
from torch import Tensor

from mtcli.bench.kernels import pytorch
from mtcli.bench.kernels.forms import Outputs, Variant, case_size
from mtcli.bench.settings import BenchSettings
from mtcli.bench.workload.shapes import BASE, BIG, TOY, WIDE, Heads

BEAMS = (4, 1)
SLOTS = {"gpu": (64, 1024, 1, 256), "cpu": (16, 1, 64), "toy": (3,)}
DTYPES = {"gpu": torch.float16, "cpu": torch.float32, "toy": torch.float16}


def step_dtype(settings: BenchSettings) -> torch.dtype:
    """The number type of all cases of a run."""
    return DTYPES[case_size(settings)]


def step_shapes(settings: BenchSettings, lengths: tuple[int, ...], toy: int) -> Iterator[tuple[Heads, int, int, int]]:
    """Heads, beam, length and slots of each case; the most wanted first.

    Args:
        settings: of the run.
        lengths: of the sources, or steps so far.
        toy: the length of a toy run.
    """
    size = case_size(settings)
    plans = {
        "gpu": ((BASE, BEAMS, lengths), (BIG, BEAMS[:1], lengths[:2]), (WIDE, BEAMS[:1], lengths[:1])),
        "cpu": ((BASE, BEAMS, lengths[:1]),),
        "toy": ((TOY, BEAMS, (toy,)),),
    }
    for heads, beams, all_lengths in plans[size]:
        for beam, length, slots in product(beams, all_lengths, SLOTS[size]):
            yield heads, beam, length, slots


def sdpa_variants(device: str, run: Callable[[Any], Tensor], note: str = "") -> Iterator[Variant]:
    """PyTorch's attention with each of its backends; `run` returns [S, H, K, D]."""
    for backend in pytorch.backends_on(device):
        yield Variant(name=f"sdpa {backend}", run=run, outputs=_by_row, within=pytorch.only(backend), note=note)


def _by_row(inputs: Any, out: Tensor) -> Outputs:
    """[S, H, K, D] -> [S*K, H, D]."""
    return (out.transpose(1, 2).flatten(0, 1),)
