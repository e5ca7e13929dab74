"""Parallel corpora: line i of one side belongs to line i of the other."""

import hashlib
import heapq
import shutil
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from mtcli.config import DataConfig
from mtcli.data.tokenizer import normalize
from mtcli.errors import DataError
from mtcli.files import STDIN, atomic_path, content_hash, read_lines


@dataclass(frozen=True)
class SentencePair:
    """A source line and its target line, as text."""

    src: str
    tgt: str


@dataclass(frozen=True)
class ParallelCorpus:
    """Files that together hold sentence pairs; reading it never holds more than a line a side in memory.

    Attributes:
        sides: (source file, target file) pairs, read one after the other.
        tables: files with source<TAB>target on each line, read after `sides`.
    """

    sides: tuple[tuple[Path, Path], ...] = ()
    tables: tuple[Path, ...] = ()

    def __iter__(self) -> Iterator[SentencePair]:
        """The pairs in order.

        Raises:
            DataError: a file is missing or not UTF-8, the sides have different numbers of lines, or a
                table's line has no tab; names file and line.
        """
        for src, tgt in self.sides:
            yield from _read_sides(src, tgt)
        for table in self.tables:
            yield from _read_table(table)

    def __bool__(self) -> bool:
        return bool(self.sides or self.tables)

    @property
    def files(self) -> list[Path]:
        return [path for pair in self.sides for path in pair] + list(self.tables)

    def hashes(self) -> dict[str, str]:
        """BLAKE2b-128 of each file's bytes, by the name it was given under, in reading order.

        Raises:
            DataError: a file is missing or unreadable.
        """
        return {str(path): content_hash(path) for path in self.files}

    def count(self) -> int:
        """Number of pairs.

        Raises:
            DataError: as iterating does, or there is no pair at all.
        """
        total = sum(1 for _ in self)
        if total == 0:
            raise DataError(f"{' and '.join(map(str, self.files))}: the corpus is empty. Sentence pairs were expected.")
        return total


def _read_sides(src: Path, tgt: Path) -> Iterator[SentencePair]:
    with closing(_generator(src)) as src_lines, closing(_generator(tgt)) as tgt_lines:
        common = 0
        for src_line, tgt_line in zip_longest(src_lines, tgt_lines):
            if src_line is None or tgt_line is None:
                raise _uneven(src, tgt, common, src_lines if tgt_line is None else tgt_lines, tgt_line is None)
            common += 1  # noqa: SIM113 (also needed in the message above)
            yield SentencePair(src_line, tgt_line)


def _generator(path: Path) -> Generator[str, None, None]:
    yield from read_lines(path)


def _uneven(src: Path, tgt: Path, common: int, rest: Iterator[str], src_is_longer: bool) -> DataError:
    longer = common + 1 + sum(1 for _ in rest)
    src_count, tgt_count = (longer, common) if src_is_longer else (common, longer)
    return DataError(
        f"{src} has {src_count} lines and {tgt} has {tgt_count}: line {common + 1} has no partner. "
        "Both sides need as many lines, line i of one being the translation of line i of the other."
    )


def _read_table(table: Path) -> Iterator[SentencePair]:
    for number, line in enumerate(read_lines(table), start=1):
        columns = line.split("\t")
        if len(columns) < 2:
            raise DataError(f"{table}:{number}: no tab on the line. Expected source<TAB>target.")
        yield SentencePair(columns[0], columns[1])


def training_corpus(config: DataConfig, spool: Path) -> ParallelCorpus:
    """The corpus a configuration names; a `-` among its tables is stdin, kept as the file `spool`.

    Raises:
        DataError: nothing is named, or one side is stdin.
    """
    sides = tuple(zip(config.src, config.tgt, strict=True))
    if any(STDIN in pair for pair in sides):
        raise DataError("One side of a corpus cannot come from stdin. Pipe both as source<TAB>target to --tsv -.")
    tables = tuple(_spool_stdin(spool) if table == STDIN else table for table in config.tsv)
    corpus = ParallelCorpus(sides, tables)
    if not corpus:
        raise DataError("No training data: give --src F --tgt F, or --tsv F with source<TAB>target on each line.")
    return corpus


def _spool_stdin(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    incoming = path.with_suffix(".incoming")
    with incoming.open("wb") as stream:
        shutil.copyfileobj(sys.stdin.buffer, stream)
    # An empty stdin on a repeated command means the run goes on with what was piped before.
    if incoming.stat().st_size or not path.exists():
        with atomic_path(path) as partial:
            incoming.replace(partial)
    incoming.unlink(missing_ok=True)
    return path


class HeldOut:
    """Chooses the pairs to validate on from a corpus that has no validation set.

    A pair is held out when the hash of its source is among the smallest, so sources equal to the
    tokenizer always fall on one side, and the same corpus and seed always give the same choice.
    """

    def __init__(self, sources: Iterator[str], size: int, seed: int) -> None:
        self._key = seed.to_bytes(8, "little", signed=False)
        smallest = heapq.nsmallest(size, {self._hash(source) for source in sources})
        self._threshold = smallest[-1] if smallest else -1

    def _hash(self, source: str) -> int:
        digest = hashlib.blake2b(normalize(source).encode(), digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "little")

    def __contains__(self, pair: SentencePair) -> bool:
        return self._hash(pair.src) <= self._threshold


def held_out_size(num_pairs: int, wanted: int) -> int:
    """At most `wanted`, at most a tenth of the corpus, at least one pair."""
    return max(1, min(wanted, num_pairs // 10))


def read_all(paths: Sequence[Path]) -> list[str]:
    """The lines of all files, in order.

    Raises:
        DataError: a file is missing, unreadable or not UTF-8.
    """
    return [line for path in paths for line in read_lines(path)]
