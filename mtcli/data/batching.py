"""Token-budget batches: sentences of similar length together, in an order that (seed, epoch) fixes."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mtcli.data.arrays import IntArray, Lengths

_Places = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Share:
    """How often the pairs `start` to `stop` (not included) come up in an epoch.

    Attributes:
        weight: times an epoch, on average: 2 is twice, 0.5 is half of the pairs, 1.5 all of them and half of
            them again. Halves that follow each other complete one another, and so for other fractions.
    """

    start: int
    stop: int
    weight: float


@dataclass(frozen=True)
class TokenBatches:
    """Cuts a corpus into batches of about `batch_tokens` tokens on the longer side of each pair.

    Attributes:
        src_lengths, tgt_lengths: [number of pairs] tokens.
        batch_tokens: largest batch; a single longer pair makes a batch of its own.
        seed: with the epoch, fixes the shuffling, and which pairs fill a fraction.
        shares: parts of the corpus that do not overlap; without any, every pair comes up once.
    """

    src_lengths: Lengths
    tgt_lengths: Lengths
    batch_tokens: int
    seed: int
    shares: tuple[Share, ...] = ()

    def epoch(self, number: int) -> list[IntArray]:
        """The batches of one epoch, each the indices of its pairs."""
        random = np.random.default_rng((self.seed, number))
        order = self._drawn(number)
        random.shuffle(order)
        # Sorted by target, then source length; equal pairs stay shuffled, so batches differ between epochs.
        for lengths in (self.src_lengths, self.tgt_lengths):
            order = order[np.argsort(_sortable(lengths)[order], kind="stable")]
        batches = self._cut(order)
        return [batches[place] for place in random.permutation(len(batches))]

    def _drawn(self, epoch: int) -> _Places:
        """The places that come up in an epoch, each as often as it does."""
        whole = Share(0, len(self.src_lengths), 1.0)
        drawn = [_places(share, epoch, (self.seed, number)) for number, share in enumerate(self.shares or (whole,))]
        return np.concatenate(drawn)

    def _cut(self, order: _Places) -> list[IntArray]:
        ends = np.cumsum(np.maximum(self.src_lengths, self.tgt_lengths)[order], dtype=np.int64)
        places = order.astype(np.int64)
        batches, start, used = [], 0, 0
        while start < len(places):
            stop = max(start + 1, int(np.searchsorted(ends, used + self.batch_tokens, side="right")))
            batches.append(places[start:stop])
            start, used = stop, int(ends[stop - 1])
        return batches


def _places(share: Share, epoch: int, seed: tuple[int, int]) -> _Places:
    everyone = np.arange(share.start, share.stop, dtype=np.int32)
    times = math.floor(share.weight)
    wanted = (share.weight - times) * len(everyone)
    # The fraction goes round and round in an order of its own, so that no pair waits longer than another.
    start, stop = math.floor(epoch * wanted), math.floor((epoch + 1) * wanted)
    if stop > start:
        circle = everyone.copy()
        np.random.default_rng(seed).shuffle(circle)
        start, stop = start % len(circle), start % len(circle) + stop - start
        extra = np.concatenate([circle[start:stop], circle[: max(0, stop - len(circle))]])
    else:
        extra = everyone[:0]
    return np.concatenate([*[everyone] * times, extra])


def _sortable(lengths: Lengths) -> npt.NDArray[np.uint16] | Lengths:
    """The same lengths in the narrowest type: NumPy sorts 16 bits by counting, in time linear in their number."""
    return lengths.astype(np.uint16) if lengths.max(initial=0) < 1 << 16 else lengths
