"""Lines chosen at random from all that are translated, to be translated again."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from mtcli.decoding.lines import is_blank
from mtcli.formats.records import Record
from mtcli.translation import Translation

_SEED = 1  # the same lines of the same input, run after run


@dataclass(frozen=True)
class Sampled:
    """Hold one line that is to be translated again.

    Attributes:
        file: index of its input.
        line: its number over all inputs, from 1.
        translation: as it came out among the others.
    """

    file: int
    line: int
    translation: Translation


class Sample:
    """Choose some lines of all, each with the same chance (reservoir sampling, Vitter 1985, algorithm R)."""

    def __init__(self, size: int) -> None:
        """Keep `size` lines, or all where there are fewer."""
        self._size, self._seen, self._chance = size, 0, random.Random(_SEED)
        self._kept: list[Sampled] = []

    def offer(self, record: Record, line: int, translation: Translation) -> None:
        """Keep a line or not; a blank one never."""
        if is_blank(record.text):
            return
        self._seen += 1
        if len(self._kept) < self._size:
            self._kept.append(Sampled(record.file, line, translation))
        elif (place := self._chance.randrange(self._seen)) < self._size:
            self._kept[place] = Sampled(record.file, line, translation)

    def __iter__(self) -> Iterator[Sampled]:
        """Yield the lines kept, in their order."""
        return iter(sorted(self._kept, key=lambda sampled: sampled.line))

    def __len__(self) -> int:
        return len(self._kept)
