"""The validation set: what of it counts, and what its user should know of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtcli.data.corpus import ParallelCorpus
from mtcli.data.tokenizer import Tokenizers
from mtcli.files import read_lines

FEW_PAIRS = 50
_PART_TRAINED_ON = 0.05  # of a validation set: some "Thank you." is in every corpus


@dataclass(frozen=True)
class ValidationText:
    """The lines of a validation set that have text on both sides, normalised: `src` and their translations, `ref`."""

    src: list[str]
    ref: list[str]

    @classmethod
    def of(cls, src_lines: Sequence[str], tgt_lines: Sequence[str], tokenizers: Tokenizers) -> "ValidationText":
        """Leave out the pairs that are empty on one side."""
        pairs = zip(map(tokenizers.src.clean, src_lines), map(tokenizers.tgt.clean, tgt_lines), strict=True)
        kept = [(source, reference) for source, reference in pairs if source and reference]
        return cls([source for source, _ in kept], [reference for _, reference in kept])

    @classmethod
    def read(cls, directory: Path) -> "ValidationText":
        """Read what `write` has written.

        Raises:
            DataError: it is not there.
        """
        return cls(*(list(read_lines(path)) for path in _paths(directory)))

    def write(self, directory: Path) -> None:
        """Write both sides as text, a line a pair."""
        for path, lines in zip(_paths(directory), (self.src, self.ref), strict=True):
            path.write_bytes("".join(line + "\n" for line in lines).encode())

    @property
    def pairs(self) -> frozenset[tuple[str, str]]:
        return frozenset(zip(self.src, self.ref, strict=True))


def _paths(directory: Path) -> list[Path]:
    return [directory / f"valid.{side}.txt" for side in ("src", "tgt")]


def read_lines_of(valid: ParallelCorpus) -> tuple[list[str], list[str]]:
    """Source and target lines of a validation set that is given.

    Raises:
        DataError: it cannot be read (see `ParallelCorpus`).
    """
    pairs = list(valid)
    return [pair.src for pair in pairs], [pair.tgt for pair in pairs]


def warnings(facts: Mapping[str, Any]) -> Iterator[str]:
    """What speaks against trusting the scores, in sentences; `facts` are those of a prepared corpus."""
    counts, is_held_out = facts["valid"], facts["held_out"]
    num_pairs, trained_on = counts["pairs"], facts.get("valid_trained_on", 0)
    if trained_on > _PART_TRAINED_ON * num_pairs:
        yield (
            f"Warning: {trained_on:,} of the {num_pairs:,} validation pairs are training pairs, too: scores will tell "
            "what the model remembers, not how it translates. Validate on text that is not trained on."
        )
    if num_pairs < FEW_PAIRS:
        cause = " (the corpus has too few different sentences to hold more out)" if is_held_out else ""
        yield (
            f"Warning: only {num_pairs:,} pair{'s' if num_pairs > 1 else ''} to validate on{cause}: which score is the "
            f"best is mostly chance. Give at least {FEW_PAIRS} (--valid-src F --valid-tgt F)."
        )
