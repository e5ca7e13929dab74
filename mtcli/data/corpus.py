"""Parallel corpora: line i of one side belongs to line i of the other."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mtcli.config import CorpusConfig, DataConfig
from mtcli.data.piped import keep_stdin, kept
from mtcli.errors import DataError
from mtcli.files import STDIN, content_hash, decode_line, open_binary, raw_lines, structure_of

_CHUNK = 1000  # lines read at once where they are wanted one by one


@dataclass(frozen=True, slots=True)
class SentencePair:
    """A source line and its target line, as text."""

    src: str
    tgt: str


@dataclass(frozen=True)
class Chunk:
    """Lines that follow each other in a pair of files or in a table, as they lie there.

    Attributes:
        files: (source file, target file), or the table alone.
        first: number of the first line, from 1.
        columns: the lines of each file, without their `\\n`; as many of one as of the other.
        source: where several sources are read, the number of this one.
    """

    files: tuple[Path, ...]
    first: int
    columns: tuple[list[bytes], ...]
    source: int = 0

    def __len__(self) -> int:
        return len(self.columns[0])

    @property
    def num_bytes(self) -> int:
        """Of the lines, decompressed, their ends included."""
        return sum(sum(map(len, lines)) + len(lines) for lines in self.columns)

    def texts(self) -> tuple[list[str], list[str]]:
        """Source and target lines as text.

        Raises:
            DataError: a line is not UTF-8, or a table's has no tab; names file and line.
        """
        src, *tgt = [_decode(path, self.first, lines) for path, lines in zip(self.files, self.columns, strict=True)]
        return (src, tgt[0]) if tgt else _cut(src, self.files[0], self.first)


def _decode(path: Path, first: int, lines: list[bytes]) -> list[str]:
    try:
        texts = b"\n".join(lines).decode("utf-8").split("\n")  # far faster than line by line
    except UnicodeDecodeError:
        return [decode_line(line, path, number) for number, line in enumerate(lines, first)]
    return [text.removesuffix("\r") for text in texts]


def _cut(lines: list[str], table: Path, first: int) -> tuple[list[str], list[str]]:
    rows = [line.split("\t", 2) for line in lines]
    for number, row in enumerate(rows, first):
        if len(row) < 2:
            raise DataError(f"{table}:{number}: no tab on the line. Expected source<TAB>target.")
    return [row[0] for row in rows], [row[1] for row in rows]


@dataclass(frozen=True)
class ParallelCorpus:
    """Files that together hold sentence pairs; reading it never holds more than some lines a side in memory.

    Attributes:
        sides: (source file, target file) pairs, read one after the other.
        tables: files with source<TAB>target on each line, read after `sides`.
        weight: times each pair comes up in an epoch, on average.
    """

    sides: tuple[tuple[Path, Path], ...] = ()
    tables: tuple[Path, ...] = ()
    weight: float = 1.0

    def __iter__(self) -> Iterator[SentencePair]:
        """The pairs in order.

        Raises:
            DataError: a file is missing or not UTF-8, the sides have different numbers of lines, or a
                table's line has no tab; names file and line.
        """
        for source in self.sources:
            for chunk in read_chunks(source, _CHUNK):
                yield from map(SentencePair, *chunk.texts())

    def __bool__(self) -> bool:
        return bool(self.sides or self.tables)

    @property
    def sources(self) -> list[tuple[Path, ...]]:
        """What is read, in order: (source file, target file) pairs, then tables, each alone."""
        return [*self.sides, *((table,) for table in self.tables)]

    @property
    def files(self) -> list[Path]:
        return [path for source in self.sources for path in source]


def hash_files(corpora: Iterable[ParallelCorpus]) -> dict[str, str]:
    """BLAKE2b-128 of each file's bytes, by the name it was given under, in reading order.

    Raises:
        DataError: a file is missing or unreadable.
    """
    files = dict.fromkeys(path for corpus in corpora for path in corpus.files)
    return {str(path): content_hash(path) for path in files}


def read_chunks(files: tuple[Path, ...], size: int, source: int = 0) -> Iterator[Chunk]:
    """The lines of a pair of files, or of a table, `size` at a time; `source` is the number the chunks bear.

    Raises:
        DataError: a file is missing or damaged, or the two have different numbers of lines (after the last
            lines that both have).
    """
    with ExitStack() as stack:
        streams = [raw_lines(stack.enter_context(open_binary(path))) for path in files]
        first = 1
        while True:
            columns = [list(islice(stream, size)) for stream in streams]
            common = min(map(len, columns))
            if common:
                yield Chunk(files, first, tuple(lines[:common] for lines in columns), source)
            first += common
            if any(len(lines) > common for lines in columns):
                raise _uneven(files, first - 1, columns, streams)
            if common < size:
                return


def _uneven(files: Sequence[Path], common: int, columns: list[list[bytes]], rest: list[Iterator[bytes]]) -> DataError:
    """Tell both files' numbers of lines; `common` lines of each were paired, `columns` and `rest` follow."""
    longest = max(map(len, columns))
    src_count, tgt_count = (
        common + len(lines) - min(map(len, columns)) + (sum(1 for _ in more) if len(lines) == longest else 0)
        for lines, more in zip(columns, rest, strict=True)
    )
    src, tgt = files
    return DataError(
        f"{src} has {src_count} lines and {tgt} has {tgt_count}: line {common + 1} has no partner. "
        "Both sides need as many lines, line i of one being the translation of line i of the other."
    )


def training_corpora(config: DataConfig, spool: Path, *, reads_stdin: bool = True) -> list[ParallelCorpus]:
    """The corpora that a configuration names: that of src, tgt and tsv first, then `corpora`, in order.

    A `-` among the tables is stdin, kept as the file `spool`, and what comes through other pipes is kept beside it;
    unless `reads_stdin`, another process has done that.

    Raises:
        DataError: nothing is named, or one side is stdin.
    """
    given: list[DataConfig | CorpusConfig] = [config] if config.src or config.tsv else []
    given += config.corpora
    if not given:
        raise DataError(
            "No training data: give --src F --tgt F, --tsv F with source<TAB>target on each line, or [[data.corpora]] "
            "in a --config file."
        )
    if any(STDIN in (*part.src, *part.tgt) for part in given):
        raise DataError("One side of a corpus cannot come from stdin. Pipe both as source<TAB>target to --tsv -.")
    if reads_stdin and any(STDIN in part.tsv for part in given):
        keep_stdin(spool)
    corpora = []
    for number, (part, weight) in enumerate(zip(given, config.weights, strict=True)):
        src, tgt, tsv = (
            kept(paths, spool.with_name(f"{name}-{number}"), reads=reads_stdin)
            for name, paths in (("src", part.src), ("tgt", part.tgt), ("tsv", part.tsv))
        )
        tables = tuple(spool if table == STDIN else table for table in tsv)
        corpora.append(ParallelCorpus(tuple(zip(src, tgt, strict=True)), tables, weight))
    return corpora


def validation_corpus(config: DataConfig, cache: Path, *, reads_pipes: bool = True) -> ParallelCorpus:
    """The validation set that a configuration names, empty where it names none; what comes through pipes is kept.

    Raises:
        DataError: a pipe cannot be read.
    """
    src, tgt = (
        kept(paths, cache / name, reads=reads_pipes)
        for name, paths in (("valid-src", config.valid_src), ("valid-tgt", config.valid_tgt))
    )
    return ParallelCorpus(tuple(zip(src, tgt, strict=True)))


def refuse_structured(corpora: Iterable[ParallelCorpus]) -> None:
    """See that files hold lines of text, not markup or another structure, whose signs would be learnt as words.

    Raises:
        DataError: a file holds such, or cannot be read.
    """
    for path in dict.fromkeys(path for corpus in corpora for path in corpus.files):
        with open_binary(path) as stream:
            structure = structure_of(stream.peek())
        if structure:
            raise DataError(
                f"{path} is {structure}, and plain text was expected, a sentence a line: what stands around the "
                "sentences would be learnt as text. Export or extract them first."
            )
