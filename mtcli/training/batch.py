"""One training batch on the device: packed tokens of both sides, the target shifted for teacher forcing."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mtcli.data.arrays import IntArray
from mtcli.data.prepare import ParallelArrays
from mtcli_kernels.packing import Packing


@dataclass(frozen=True)
class Batch:
    """N_src source and N_tgt target tokens of B sentence pairs, all int64.

    Attributes:
        src: [N_src]; src_packing: where each sentence lies in it.
        tgt_in: [N_tgt], what the decoder reads: each target after the start token, without its end token.
        tgt_out: [N_tgt], what it is to predict: each target with its end token.
        tgt_packing: where each sentence lies in `tgt_in` and `tgt_out`.
    """

    src: Tensor
    src_packing: Packing
    tgt_in: Tensor
    tgt_out: Tensor
    tgt_packing: Packing


def make_batch(data: ParallelArrays, indices: IntArray, start_id: int, device: torch.device) -> Batch:
    """Gather these pairs of a tokenised corpus."""
    src, tgt = data.src.gather(indices), data.tgt.gather(indices)
    tgt_out = np.concatenate(tgt)
    tgt_in = np.roll(tgt_out, 1)
    lengths = [len(sentence) for sentence in tgt]
    tgt_in[np.cumsum([0, *lengths[:-1]])] = start_id
    return Batch(
        src=torch.from_numpy(np.concatenate(src)).to(device),
        src_packing=Packing.of([len(sentence) for sentence in src], device),
        tgt_in=torch.from_numpy(tgt_in).to(device),
        tgt_out=torch.from_numpy(tgt_out).to(device),
        tgt_packing=Packing.of(lengths, device),
    )
