"""A model, what it decodes and how widely it searches: what the questions are asked about."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.engine import Work
from benchmarks.questions.decoding.description import DESCRIPTION, Shape, write_random, write_trained
from benchmarks.questions.decoding.opus_like import OpusLike, write_opus_like
from benchmarks.questions.decoding.records import Model, Sources
from benchmarks.questions.decoding.sources import describe, line_work, random_work
from mtcli.bench.work.sentences import Words
from mtcli.config import DecodingConfig
from mtcli.data.tokenizer import Tokenizers
from mtcli.files import read_lines
from mtcli.interop.fetching import find
from mtcli.interop.importing import read_marian, write_imported
from mtcli.model_directory.description import load_architecture
from mtcli.model_directory.tokenizers import load_tokenizers


@dataclass(frozen=True, kw_only=True)
class Case:
    """A model and its sentences.

    Attributes:
        description: the file that contestants load the model from.
        beams: to search with; 1 is greedy.
    """

    model: Model
    sources: Sources
    description: Path
    work: Work
    beams: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class RandomModel:
    """A preset with random weights, on sentences as long as newstest2014's.

    Attributes:
        data: the folder that holds newstest2014; None draws lengths like its.
        limit: sentences.
    """

    preset: str
    vocab_size: int
    data: Path | None
    limit: int
    beam: int
    seed: int

    @property
    def title(self) -> str:
        return f"Transformer {self.preset} with random weights"

    def case(self, folder: Path) -> Case:
        """Write the model into `folder`.

        Raises:
            MtcliError: there is no such preset, or `data` holds no newstest2014.
        """
        work, sources = random_work(self.data, self.limit, Words.of(self.vocab_size), self.seed)
        shape = write_random(folder, self.preset, self.vocab_size, self.seed)
        return Case(
            model=Model(name=self.preset, **shape.record()),
            sources=Sources(**sources),
            description=folder / DESCRIPTION,
            work=work,
            beams=(self.beam, 1),
        )


@dataclass(frozen=True, kw_only=True)
class ImportedModel:
    """A Marian model with random weights that `mtcli import` has brought in; else as `RandomModel`.

    Attributes:
        size: of the model.
    """

    size: OpusLike
    data: Path | None
    limit: int
    beam: int
    seed: int

    @property
    def title(self) -> str:
        return "A Marian model of the size of OPUS-MT's, imported, with random weights"

    def case(self, folder: Path) -> Case:
        """Write the original and what is imported from it into `folder`.

        Raises:
            MtcliError: mtcli computes something else than transformers does, or `data` holds no newstest2014.
        """
        original, directory = write_opus_like(folder / "original", self.size, self.seed), folder / "imported"
        write_imported(read_marian(find(str(original))), directory)
        shape = write_trained(folder, directory)
        tgt = load_tokenizers(directory, load_architecture(directory).checksums).tgt
        work, sources = random_work(self.data, self.limit, Words.known_to(tgt), self.seed)
        return Case(
            model=Model(name="OPUS-MT's size", **shape.record()),
            sources=Sources(**sources),
            description=folder / DESCRIPTION,
            work=work,
            beams=(self.beam, 1),
        )


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A model directory, on the first lines of a file.

    Attributes:
        limit: lines; None for all.
    """

    directory: Path
    src: Path
    limit: int | None
    beam: int

    def lines(self) -> list[str]:
        """Raises DataError: the file is missing or unreadable."""
        return list(read_lines(self.src))[: self.limit]

    def tokenizers(self) -> Tokenizers:
        """Raises MtcliError: the directory is no model, or damaged."""
        return load_tokenizers(self.directory, load_architecture(self.directory).checksums)

    def case(self, folder: Path) -> Case:
        """Write the model's description into `folder`.

        Raises:
            MtcliError: the directory is no model, or a line is blank or too long.
        """
        shape = write_trained(folder, self.directory.resolve())
        options = load_architecture(self.directory).decoding
        work = self._work(shape, options, self.lines())
        return Case(
            model=Model(name=self.directory.name, **shape.record()),
            sources=Sources(**describe(work.sources, self.src.name)),
            description=folder / DESCRIPTION,
            work=work,
            beams=(self.beam, 1),
        )

    def _work(self, shape: Shape, options: DecodingConfig, lines: Sequence[str]) -> Work:
        return line_work(
            lines,
            self.tokenizers().src,
            options,
            longest_source=shape.config.max_length,
            longest_output=shape.num_positions,
        )


def opened(models: Sequence[RandomModel | TrainedModel]) -> Iterator[Case]:
    """Each model's case in turn; its files are gone when the next one is asked for."""
    for model in models:
        with tempfile.TemporaryDirectory() as folder:
            yield model.case(Path(folder))
