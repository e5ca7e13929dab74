"""The first pass over the training corpora: everything checked and counted, and what the second pass must know."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from rich.console import Console

from mtcli.config import DataConfig
from mtcli.data.corpus import Chunk, ParallelCorpus, read_chunks
from mtcli.data.held_out import HeldOut, SmallestHashes, held_out_size, source_hash
from mtcli.data.processes import in_order
from mtcli.data.progress import PassProgress, Report
from mtcli.data.tokenizer import normalize
from mtcli.errors import DataError
from mtcli.files import is_compressed

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
        hashes: the smallest distinct ones of usable sources, ascending; largest: of them all, else -1.
        first, stride, src, tgt: for `EvenSample.add`.
    """

    num_pairs: int
    num_bytes: int
    hashes: list[int]
    largest: int
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
        smallest, largest = SmallestHashes(self.num_hashes), -1
        if self.num_hashes:
            usable = (normalize(src_line) for src_line, tgt_line in zip(src, tgt, strict=True) if tgt_line.strip())
            hashes = [source_hash(source, self.seed) for source in usable if source]
            smallest.update(hashes)
            largest = max(hashes, default=-1)
        begin = -task.first % task.stride
        src_sample, tgt_sample = ([normalize(line) for line in lines[begin :: task.stride]] for lines in (src, tgt))
        return _Seen(
            len(src),
            task.chunk.num_bytes,
            list(smallest),
            largest,
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
    smallest, largest, num_pairs = SmallestHashes(data.valid_size), -1, 0
    files = [path for corpus in corpora for path in corpus.files]
    size = None if any(map(is_compressed, files)) else sum(path.stat().st_size for path in files)
    look = _Look(seed, data.valid_size if hold_out else 0)
    seen_chunks = in_order(look, _tasks(corpora, sample), num_processes, alone=ALONE)
    with PassProgress("Reading the corpus", size, report, console) as progress, closing(seen_chunks):
        for seen in seen_chunks:
            num_pairs += seen.num_pairs
            smallest.update(seen.hashes)
            largest = max(largest, seen.largest)
            sample.add(seen.first, seen.stride, seen.src, seen.tgt)
            progress.advance(seen.num_bytes, seen.num_pairs)
    if not num_pairs:
        raise DataError(f"{' and '.join(map(str, files))}: the corpus is empty. Sentence pairs were expected.")
    if not hold_out:
        return Survey(num_pairs, None, (sample.src, sample.tgt))
    held_out = HeldOut(smallest.threshold(held_out_size(num_pairs, data.valid_size)), seed)
    if -1 < largest <= held_out.threshold:
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
