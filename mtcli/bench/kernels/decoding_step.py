"""What the attentions of a decoding step have in common: their shapes, and how PyTorch's attention answers."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import torch
from torch import Tensor

from mtcli.bench.kernels import pytorch
from mtcli.bench.kernels.forms import CaseSize, Variant
from mtcli.bench.workload.shapes import BASE, BIG, TOY, WIDE, Heads

DTYPES = {CaseSize.GPU: torch.float16, CaseSize.CPU: torch.float32, CaseSize.TOY: torch.float16}
SLOTS = (64, 1024, 1, 256)
BEAMS = (4, 1)


def step_shapes(size: CaseSize, lengths: tuple[int, ...], toy: int) -> Iterator[tuple[Heads, int, int, int]]:
    """Heads, beam, length and slots of each case; the most wanted first.

    Args:
        size: of the run.
        lengths: of the sources, or steps so far.
        toy: the length of a toy run.
    """
    plans = {
        CaseSize.GPU: (
            (BASE, BEAMS, lengths, SLOTS),
            (BIG, BEAMS[:1], lengths[:2], SLOTS),
            (WIDE, BEAMS[:1], lengths[:1], SLOTS),
        ),
        CaseSize.CPU: ((BASE, BEAMS, lengths[:1], (16, 1, 64)),),
        CaseSize.TOY: ((TOY, BEAMS, (toy,), (3,)),),
    }
    for heads, beams, all_lengths, all_slots in plans[size]:
        for beam, length, slots in product(beams, all_lengths, all_slots):
            yield heads, beam, length, slots


def sdpa_variants(device: str, run: Callable[[Any], Tensor], note: str = "") -> Iterator[Variant]:
    """PyTorch's attention with each of its backends; `run` returns [S, H, K, D]."""
    for backend in pytorch.backends_on(device):
        yield Variant(name=f"sdpa {backend}", run=run, outputs=_by_row, within=pytorch.only(backend), note=note)


def _by_row(inputs: Any, out: Tensor) -> tuple[Tensor, ...]:
    """[S, H, K, D] -> [S*K, H, D]."""
    return (out.transpose(1, 2).flatten(0, 1),)
