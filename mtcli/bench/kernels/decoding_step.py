"""The shapes of the attentions of a decoding step."""

from collections.abc import Iterator
from itertools import product

import torch

from mtcli.bench.kernels.forms import case_size
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
