"""The first pass over the training corpora: everything checked and counted, and what the second pass must know."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from rich.console import Console

from mtcli.config import DataConfig
from mtcli.data.corpus import Chunk, ParallelCorpus, read_chunks
from mtcli.data.held_out import HeldOut, SmallestHashes, choose, source_hash, sources_needed
from mtcli.data.normalisation import normalise
from mtcli.data.processes import in_order
from mtcli.data.progress import PassProgress, Report
from mtcli.errors import DataError
from mtcli.files import size_as_read

CHUNK = 10_000  # lines that one process works on at once
ALONE = 5  # chunks that are sooner done than other processes are started
LINE_LENGTH = 45  # characters of a line as `tokenizer_lines` counts them


class EvenSample:
    """Pairs spread evenly over a stream whose length nobody knows: every one, every second, every fourth ...

    Where every pair fits within the bounds all are kept, else more than half of what does. What is kept follows
    from the stream alone.

    Attributes:
        stride: one of so many pairs is kept.
        src, tgt: the lines kept, in order.
    """

    def __init__(self, max_pairs: int, max_characters: int) -> None:
        """Keep at most so many pairs, and so many characters of both sides together."""
        self._max_pairs, self._max_characters = max_pairs, max_characters
        self._characters = 0
        self.stride = 1
        self.src: list[str] = []
        self.tgt: list[str] = []

    def add(self, first: int, stride: int, src: Sequence[str], tgt: Sequence[str]) -> None:
        """Add the pairs at places `first`, `first + stride` ... of the stream; the stride may be an earlier one."""
        thinner = self.stride // stride
        begin = -(first // stride) % thinner
        src, tgt = src[begin::thinner], tgt[begin::thinner]
        self.src += src
        self.tgt += tgt
        self._characters += sum(map(len, src)) + sum(map(len, tgt))
        while len(self.src) > 1 and (len(self.src) > self._max_pairs or self._characters > self._max_characters):
            self.stride *= 2
            self.src, self.tgt = self.src[::2], self.tgt[::2]
            self._characters = sum(map(len, self.src)) + sum(map(len, self.tgt))


@dataclass(frozen=True)
class Survey:
    """What the first pass found.

    Attributes:
        num_pairs: in all corpora together.
        held_out: what to validate on, where no validation set was given.
        sample: source and target lines, normalised, to train a tokenizer on; of all corpora, every line once.
    """

    num_pairs: int
    held_out: HeldOut | None
    sample: tuple[list[str], list[str]]


@dataclass(frozen=True)
class _Task:
    """A chunk to look at; its pairs number `first` and so on, of which every `stride`-th may go into the sample."""

    chunk: Chunk
    first: int
    stride: int


@dataclass(frozen=True)
class _Seen:
    """What a chunk held.

    Attributes:
        usable: pairs with text on both sides, where pairs are to be held out.
        hashes: the smallest distinct ones of their sources, and how many pairs each has.
        first, stride, src, tgt: for `EvenSample.add`.
    """

    num_pairs: int
    num_bytes: int
    usable: int
    hashes: dict[int, int]
    first: int
    stride: int
    src: list[str]
    tgt: list[str]


@dataclass(frozen=True)
class _Look:
    """Checks that chunks are text, and hashes the sources of pairs that have some on both sides.

    Attributes:
        seed: of the hashes; num_hashes: how many of a chunk are wanted, 0 for no hashing.
    """

    seed: int
    num_hashes: int

    def begin(self) -> Callable[[_Task], _Seen]:
        return self._look

    def _look(self, task: _Task) -> _Seen:
        src, tgt = task.chunk.texts()
        smallest, hashes = SmallestHashes(self.num_hashes), Counter[int]()
        if self.num_hashes:
            sides = ((normalise(src_line), normalise(tgt_line)) for src_line, tgt_line in zip(src, tgt, strict=True))
            hashes.update(source_hash(source, self.seed) for source, target in sides if source and target)
            smallest.update(hashes)
        begin = -task.first % task.stride
        src_sample, tgt_sample = ([normalise(line) for line in lines[begin :: task.stride]] for lines in (src, tgt))
        return _Seen(
            len(src),
            task.chunk.num_bytes,
            hashes.total(),
            smallest.counts,
            task.first + begin,
            task.stride,
            src_sample,
            tgt_sample,
        )


def survey(
    corpora: Sequence[ParallelCorpus],
    data: DataConfig,
    seed: int,
    *,
    hold_out: bool,
    num_processes: int,
    report: Report,
    console: Console | None = None,
) -> Survey:
    """Read all corpora once.

    Args:
        seed: fixes what is held out.
        hold_out: whether to choose pairs to validate on.

    Raises:
        DataError: a corpus cannot be read (see `ParallelCorpus`), is empty, or holds too little to hold out of.
    """
    sample = EvenSample(data.tokenizer_lines, 2 * LINE_LENGTH * data.tokenizer_lines)
    num_hashes = sources_needed(data.valid_size)
    smallest, num_pairs, usable = SmallestHashes(num_hashes), 0, 0
    files = [path for corpus in corpora for path in corpus.files]
    sizes = [size for path in files if (size := size_as_read(path)) is not None]
    size = sum(sizes) if len(sizes) == len(files) else None
    look = _Look(seed, num_hashes if hold_out else 0)
    seen_chunks = in_order(look, _tasks(corpora, sample), num_processes, alone=ALONE)
    with PassProgress("Reading the corpus", size, report, console) as progress, closing(seen_chunks):
        for seen in seen_chunks:
            num_pairs += seen.num_pairs
            smallest.update(seen.hashes)
            usable += seen.usable
            sample.add(seen.first, seen.stride, seen.src, seen.tgt)
            progress.advance(seen.num_bytes, seen.num_pairs)
    if not num_pairs:
        raise DataError(f"{' and '.join(map(str, files))}: the corpus is empty. Sentence pairs were expected.")
    if not hold_out:
        return Survey(num_pairs, None, (sample.src, sample.tgt))
    held_out = HeldOut(choose(smallest.counts, data.valid_size, usable), seed)
    if usable and not held_out.hashes:
        raise DataError(
            f"{', '.join(map(str, files))}: too small to hold sentences out for validation, none would be left to "
            "train on. Give more text, or a validation set (--valid-src F --valid-tgt F)."
        )
    kept = [place for place, source in enumerate(sample.src) if source not in held_out]
    return Survey(num_pairs, held_out, ([sample.src[place] for place in kept], [sample.tgt[place] for place in kept]))


def chunks_of(corpora: Sequence[ParallelCorpus]) -> Iterator[Chunk]:
    """All chunks in reading order; sources are numbered from 0."""
    for number, files in enumerate(files for corpus in corpora for files in corpus.sources):
        yield from read_chunks(files, CHUNK, number)


def _tasks(corpora: Sequence[ParallelCorpus], sample: EvenSample) -> Iterator[_Task]:
    first = 0
    for chunk in chunks_of(corpora):
        yield _Task(chunk, first, sample.stride)
        first += len(chunk)
