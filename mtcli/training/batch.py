"""One training batch on the device: packed tokens of both sides, the target shifted for teacher forcing."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mtcli.data.arrays import IntArray
from mtcli.data.pairs import Pairs
from mtcli.training.keys import token_keys
from mtcli_kernels.packing import Packing


@dataclass(frozen=True)
class Batch:
    """N_src source and N_tgt target tokens of B sentence pairs, all int64.

    Attributes:
        src: [N_src]; src_packing: where each sentence lies in it.
        tgt_in: [N_tgt], what the decoder reads: each target after the start token, without its end token.
        tgt_out: [N_tgt], what it is to predict: each target with its end token.
        tgt_packing: where each sentence lies in `tgt_in` and `tgt_out`.
        src_keys, tgt_keys: [N_src] and [N_tgt], for dropout (mtcli/training/keys.py).
    """

    src: Tensor
    src_packing: Packing
    tgt_in: Tensor
    tgt_out: Tensor
    tgt_packing: Packing
    src_keys: Tensor
    tgt_keys: Tensor

    def twice(self) -> "Batch":
        """Every pair a second time, behind the first, with other numbers for dropout; the targets stay as they are."""
        return Batch(
            src=self.src.repeat(2),
            src_packing=_repeated(self.src_packing),
            tgt_in=self.tgt_in.repeat(2),
            tgt_out=self.tgt_out,
            tgt_packing=_repeated(self.tgt_packing),
            src_keys=torch.cat([self.src_keys, ~self.src_keys]),
            tgt_keys=torch.cat([self.tgt_keys, ~self.tgt_keys]),
        )

    @property
    def num_tokens(self) -> int:
        """Target tokens, end tokens included."""
        return self.tgt_packing.total


def make_batch(data: Pairs, indices: IntArray, start_id: int, device: torch.device, seed: int = 0) -> Batch:
    """Gather these pairs of a corpus.

    Args:
        indices: [B] places in the corpus.
        start_id: the token that every target begins after.
        seed: of the step, where pairs are cut into tokens anew.
    """
    pairs = data.gather(indices, seed)
    starts = np.cumsum(pairs.tgt_lengths) - pairs.tgt_lengths
    tgt_in = np.roll(pairs.tgt, 1)
    tgt_in[starts] = start_id

    def put(numbers: IntArray) -> Tensor:
        tensor = torch.from_numpy(numbers)
        if device.type != "cuda":
            return tensor.to(device)
        return tensor.pin_memory().to(device, non_blocking=True)

    return Batch(
        src=put(pairs.src),
        src_packing=_packing(pairs.src_lengths, put),
        tgt_in=put(tgt_in),
        tgt_out=put(pairs.tgt),
        tgt_packing=_packing(pairs.tgt_lengths, put),
        src_keys=put(token_keys(indices, pairs.src_lengths, 0)),
        tgt_keys=put(token_keys(indices, pairs.tgt_lengths, 1)),
    )


def _repeated(packing: Packing) -> Packing:
    return Packing(packing.lengths.repeat(2), packing.max_length, 2 * packing.total)


def _packing(lengths: IntArray, put: Callable[[IntArray], Tensor]) -> Packing:
    return Packing(put(lengths), int(lengths.max()), int(lengths.sum()))
