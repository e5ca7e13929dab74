"""`mtcli translate --verify`: does a line's translation depend on the line alone? A few are translated again, alone."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtcli.decoding.lines import is_blank
from mtcli.errors import MtcliError
from mtcli.files import display_name
from mtcli.formats.records import Reader, Record
from mtcli.jobs.pipeline import Translate

if TYPE_CHECKING:
    from mtcli.translation import Translation

_SEED = 1  # the same lines of the same input, run after run


@dataclass(frozen=True)
class Sampled:
    """One line to be translated again.

    Attributes:
        file: index of its input.
        line: its number over all inputs, from 1.
        translation: as it came out among the others.
    """

    file: int
    line: int
    translation: "Translation"


class Sample:
    """Some lines of all that are offered, each with the same chance (reservoir sampling, Vitter 1985, algorithm R)."""

    def __init__(self, size: int) -> None:
        """Keep `size` lines, or all where there are fewer."""
        self._size, self._seen, self._chance = size, 0, random.Random(_SEED)
        self._kept: list[Sampled] = []

    def offer(self, record: Record, line: int, translation: "Translation") -> None:
        """Keep a line or not; a blank one never."""
        if is_blank(record.text):
            return
        self._seen += 1
        if len(self._kept) < self._size:
            self._kept.append(Sampled(record.file, line, translation))
        elif (place := self._chance.randrange(self._seen)) < self._size:
            self._kept[place] = Sampled(record.file, line, translation)

    def __iter__(self) -> Iterator[Sampled]:
        """The lines kept, in their order."""
        return iter(sorted(self._kept, key=lambda sampled: sampled.line))

    def __len__(self) -> int:
        return len(self._kept)


@dataclass(frozen=True)
class Difference:
    """A line that came out otherwise when it was translated alone."""

    sampled: Sampled
    alone: "Translation"

    def describe(self, reader: Reader) -> str:
        """Where the line is, and what it became, in three lines."""
        before = reader.ends[self.sampled.file - 1] if self.sampled.file else 0
        where = f"{display_name(reader.paths[self.sampled.file])}:{self.sampled.line - before}"
        return "\n".join(
            [
                f"{where} came out different alone:",
                f"  among others: {_shown(self.sampled.translation)}",
                f"  alone:        {_shown(self.alone)}",
            ]
        )


def verify_alone(sample: Sample, translate: Translate) -> list[Difference]:
    """Translate each line of the sample again, alone, and compare texts and scores, exactly, of all candidates."""
    differences = []
    for sampled in sample:
        (alone,) = translate([sampled.translation.source])
        if alone.n_best != sampled.translation.n_best:
            differences.append(Difference(sampled, alone))
    return differences


def agreement(num_lines: int) -> str:
    """What to say where all agree."""
    if not num_lines:
        return "Nothing to verify: this run translated no line that is not blank."
    return f"Verified: {num_lines:,} lines, chosen at random and translated again alone, came out the same to the bit."


def disagreement(num_lines: int, differences: Sequence[Difference]) -> MtcliError:
    """The error for lines that depend on more than themselves."""
    return MtcliError(
        f"{len(differences)} of {num_lines} lines came out different when they were translated alone. The outputs are "
        "whole, but what is in them depended on more than each line. Try --dtype float32, and please report it."
    )


def _shown(translation: "Translation") -> str:
    return " | ".join(f"{candidate.text} ({candidate.score!r})" for candidate in translation.n_best)
