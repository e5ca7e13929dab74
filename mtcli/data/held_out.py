"""Which pairs are kept for validation from corpora that have no validation set."""

import hashlib
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


def source_hash(source: str, seed: int) -> int:
    """A number of 64 bits that follows from a normalised source and the seed."""
    key = seed.to_bytes(8, "little", signed=False)
    return int.from_bytes(hashlib.blake2b(source.encode(), digest_size=8, key=key).digest(), "little")


@dataclass(frozen=True)
class HeldOut:
    """The pairs to validate on.

    A pair is held out when the hash of its source is among the smallest, so sources equal to the
    tokenizer always fall on one side, and the same corpora and seed always give the same choice.

    Attributes:
        threshold: the largest hash that is held out; -1 holds nothing out.
    """

    threshold: int
    seed: int

    def __contains__(self, source: str) -> bool:
        """Whether pairs with this source, normalised, are held out."""
        return source_hash(source, self.seed) <= self.threshold


class SmallestHashes:
    """The smallest distinct numbers among many, in memory for those alone."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[int] = []  # of their negatives: the largest is at hand
        self._members: set[int] = set()

    def update(self, numbers: Iterable[int]) -> None:
        """Look at some more."""
        for number in numbers:
            if len(self._heap) < self._size:
                if number not in self._members:
                    self._members.add(number)
                    heapq.heappush(self._heap, -number)
            elif number < -self._heap[0] and number not in self._members:
                self._members.add(number)
                self._members.discard(-heapq.heapreplace(self._heap, -number))

    def __iter__(self) -> Iterator[int]:
        """In ascending order."""
        return iter(sorted(self._members))

    def threshold(self, size: int) -> int:
        """The largest of the `size` smallest; -1 where there is none."""
        smallest = sorted(self._members)[:size]
        return smallest[-1] if smallest else -1


def held_out_size(num_pairs: int, wanted: int) -> int:
    """At most `wanted`, at most a tenth of the corpus, at least one pair."""
    return max(1, min(wanted, num_pairs // 10))
