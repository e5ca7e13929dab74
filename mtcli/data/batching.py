"""Token-budget batches: sentences of similar length together, in an order that (seed, epoch) fixes."""

from dataclasses import dataclass

import numpy as np

from mtcli.data.arrays import IntArray


@dataclass(frozen=True)
class TokenBatches:
    """Cuts a corpus into batches of about `batch_tokens` tokens on the longer side of each pair.

    Attributes:
        src_lengths, tgt_lengths: [number of pairs] tokens.
        batch_tokens: largest batch; a single longer pair makes a batch of its own.
        seed: with the epoch, fixes the shuffling.
    """

    src_lengths: IntArray
    tgt_lengths: IntArray
    batch_tokens: int
    seed: int

    def epoch(self, number: int) -> list[IntArray]:
        """The batches of one epoch, each the indices of its pairs; every pair is in exactly one."""
        random = np.random.default_rng((self.seed, number))
        order = random.permutation(len(self.src_lengths))
        # Sorted by target, then source length; equal pairs stay shuffled, so batches differ between epochs.
        order = order[np.lexsort((self.src_lengths[order], self.tgt_lengths[order]))]
        batches = self._cut(order)
        return [batches[place] for place in random.permutation(len(batches))]

    def _cut(self, order: IntArray) -> list[IntArray]:
        ends = np.cumsum(np.maximum(self.src_lengths, self.tgt_lengths)[order])
        batches, start, used = [], 0, 0
        while start < len(order):
            stop = max(start + 1, int(np.searchsorted(ends, used + self.batch_tokens, side="right")))
            batches.append(order[start:stop])
            start, used = stop, int(ends[stop - 1])
        return batches
