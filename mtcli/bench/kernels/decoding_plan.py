"""Which shapes of the attentions in a decoding step are measured, for every size of a run."""

from itertools import product

import torch

from mtcli.bench.kernels.forms import Size
from mtcli.bench.workload.shapes import BASE, BIG, TOY, WIDE, Heads

SLOTS = (64, 1024, 1, 256)
FEW_SLOTS = (16, 1, 64)
BEAMS = (4, 1)
DTYPES = {Size.GPU: torch.float16, Size.CPU: torch.float32, Size.TOY: torch.float16}


def decoding_plan(size: Size, lengths: tuple[int, ...], toy: int) -> list[tuple[Heads, int, int, int]]:
    """Heads, beam, length and slots of each case; the most wanted first.

    Args:
        size: of the run.
        lengths: of the sources, or steps so far.
        toy: the length of a toy run.
    """
    plans = {
        Size.GPU: (
            (BASE, BEAMS, lengths, SLOTS),
            (BIG, BEAMS[:1], lengths[:2], SLOTS),
            (WIDE, BEAMS[:1], lengths[:1], SLOTS),
        ),
        Size.CPU: ((BASE, BEAMS, lengths[:1], FEW_SLOTS),),
        Size.TOY: ((TOY, BEAMS, (toy,), (3,)),),
    }
    return [
        (heads, beam, length, slots)
        for heads, beams, all_lengths, all_slots in plans[size]
        for beam, length, slots in product(beams, all_lengths, all_slots)
    ]
