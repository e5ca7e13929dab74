"""Which pairs are kept for validation from corpora that have no validation set.

What counts are the pairs with text on both sides. They are drawn by their sources, all pairs of a source together, in
the order of the sources' hashes: data.valid_size sources, but at most a tenth of the distinct ones, at most a tenth of
the pairs and at most 2,000 pairs; a source with too many pairs is passed over. Where a tenth is less than one source,
that with the fewest pairs is drawn.
"""

import hashlib
import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

MOST_PAIRS = 2000
PART = 10  # one of so many sources, and of so many pairs, at most


def source_hash(source: str, seed: int) -> int:
    """A number of 64 bits that follows from a normalised source and the seed."""
    key = seed.to_bytes(8, "little", signed=False)
    return int.from_bytes(hashlib.blake2b(source.encode(), digest_size=8, key=key).digest(), "little")


@dataclass(frozen=True)
class HeldOut:
    """The pairs to validate on.

    Sources equal when normalised always fall on one side, and the same corpora and seed always give the same choice.

    Attributes:
        hashes: of their sources.
    """

    hashes: frozenset[int]
    seed: int

    def __contains__(self, source: str) -> bool:
        """Whether pairs with this source, normalised, are held out if their targets have text."""
        return bool(source) and source_hash(source, self.seed) in self.hashes


class SmallestHashes:
    """The smallest distinct numbers among many and how often each came, in memory for those alone."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[int] = []  # of their negatives: the largest is at hand
        self._counts: Counter[int] = Counter()

    def update(self, counts: Mapping[int, int]) -> None:
        """Look at some more, which came so often."""
        for number, count in counts.items():
            if number in self._counts or len(self._heap) < self._size:
                if number not in self._counts:
                    heapq.heappush(self._heap, -number)
                self._counts[number] += count
            elif self._size and number < -self._heap[0]:
                # What falls out never comes back, so no count lacks anything.
                del self._counts[-heapq.heapreplace(self._heap, -number)]
                self._counts[number] = count

    @property
    def counts(self) -> dict[int, int]:
        """How often each came, in ascending order of the numbers."""
        return dict(sorted(self._counts.items()))


def sources_needed(valid_size: int) -> int:
    """How many of the smallest hashes must be known: all, where a tenth of them is less than is wanted."""
    return PART * min(valid_size, MOST_PAIRS)


def choose(smallest: Mapping[int, int], valid_size: int, num_pairs: int) -> frozenset[int]:
    """Choose the sources to hold out.

    Args:
        smallest: pairs of the sources with the smallest hashes, `sources_needed` of them, in ascending order.
        num_pairs: of all sources together.

    Returns:
        Their hashes; none where not even one can be held out and leave another to train on.
    """
    most_sources = min(valid_size, len(smallest) // PART)
    most_pairs = min(MOST_PAIRS, num_pairs // PART)
    chosen: list[int] = []
    for number, count in smallest.items():
        if len(chosen) < most_sources and count <= most_pairs:
            chosen.append(number)
            most_pairs -= count
    if not chosen and len(smallest) > 1:
        fewest = min(smallest, key=lambda number: smallest[number])
        chosen = [fewest] if smallest[fewest] <= MOST_PAIRS else []
    return frozenset(chosen)
