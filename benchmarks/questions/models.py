"""The models that questions are asked about: model directories, described for all contestants, and what they decode."""

import dataclasses
import io
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import sentencepiece as spm
import torch

from benchmarks.contest.records import Model, Text
from benchmarks.peers.engine import Work
from mtcli.bench.workload.sentences import Words
from mtcli.bench.workload.shapes import FORCED_TOKENS, news_sentences
from mtcli.config import Config, DecodingConfig, ModelConfig, VocabularySizes, load_config
from mtcli.data.tokenizer import BOS_ID, EOS_ID, PAD_ID, UNK_ID, Tokenizer, Tokenizers
from mtcli.errors import ConfigError, DataError
from mtcli.files import read_lines
from mtcli.interop.exporting_ct2 import export_ctranslate2
from mtcli.interop.exporting_hf import export_hf
from mtcli.interop.fetching import find
from mtcli.interop.importing import read_marian, write_imported
from mtcli.model.transformer import Transformer
from mtcli.model_directory.description import Architecture, load_architecture, write_description
from mtcli.model_directory.files import WEIGHTS
from mtcli.model_directory.tokenizers import load_tokenizers
from mtcli.model_directory.weights import parameters_of, weights_bytes

NEWSTEST = "newstest2014/newstest2014.en-de.en.xz"
TOKENS_A_WORD = 1.3  # of English with a joint vocabulary of 32,000
LETTERS = 4  # of a random word: enough words for any vocabulary
# What Helsinki-NLP/opus-mt-en-de has beside the preset base, and how many pieces.
LIKE_OPUS, OPUS_PIECES = {"model": {"activation": "silu"}}, 58_101


@dataclass(frozen=True, kw_only=True)
class Case:
    """A model and its sentences.

    Attributes:
        description: the file that contestants load the model from (`benchmarks.peers.weights`).
        refusals: why a contestant cannot hold the model, by the name of the export that fails, or `joeynmt`.
        beams: to search with; 1 is greedy.
    """

    model: Model
    text: Text
    description: Path
    refusals: dict[str, str]
    work: Work
    beams: tuple[int, ...]


def write_random(
    directory: Path, preset: str, vocab_size: int, seed: int, options: dict[str, Any] | None = None
) -> Path:
    """Write a model directory of a preset's shape with random weights, whose pieces are random words.

    Raises:
        ConfigError: there is no such preset.
    """
    config: Config = load_config(preset, options=options or {})
    directory.mkdir(parents=True)
    pieces = directory / "tokenizer.model"
    pieces.write_bytes(word_pieces(vocab_size))
    tokenizer = Tokenizer.from_file(pieces)
    sizes = VocabularySizes(source=vocab_size, target=vocab_size, shared=True)
    torch.manual_seed(seed)
    network = Transformer(config.model, sizes)
    write_description(directory, Architecture(config.model, sizes, config.decoding), Tokenizers(tokenizer, tokenizer))
    (directory / WEIGHTS).write_bytes(weights_bytes(parameters_of(network)))
    return directory


def random_words(vocab_size: int) -> list[str]:
    """Return the words that stand for text in a vocabulary of so many pieces."""
    letters = product(ascii_lowercase, repeat=LETTERS)
    return ["".join(next(letters)) for _ in range(vocab_size - len({UNK_ID, BOS_ID, EOS_ID, PAD_ID}))]


def word_pieces(vocab_size: int) -> bytes:
    """Return a SentencePiece model that has each of these words as a piece."""
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(random_words(vocab_size)),
        model_writer=model,
        vocab_size=vocab_size,
        model_type="word",
        normalization_rule_name="identity",
        unk_id=UNK_ID,
        bos_id=BOS_ID,
        eos_id=EOS_ID,
        pad_id=PAD_ID,
        minloglevel=2,
    )
    return model.getvalue()


def write_imported_random(folder: Path, preset: str, vocab_size: int, seed: int) -> Path:
    """Write a random model in Hugging Face's Marian form, and the model directory that `mtcli import` makes of that.

    Raises:
        MtcliError: mtcli computes something else than transformers does.
    """
    own, original = write_random(folder / "own", preset, vocab_size, seed, LIKE_OPUS), folder / "original"
    original.mkdir()
    export_hf(own, original)
    write_imported(read_marian(find(str(original))), folder / "imported")
    return folder / "imported"


def random_case(
    directory: Path,
    name: str,
    *,
    data: Path | None,
    limit: int,
    beam: int,
    seed: int,
    folder: Path,
    peers: Sequence[str],
) -> Case:
    """Let a model decode random sentences, each forced to the same number of target tokens.

    Args:
        directory: the model's.
        name: as tables name it.
        data: the folder that holds newstest2014, whose lengths the sentences get; None draws lengths as news has them.
        limit: sentences.
        beam: beside greedy.
        seed: of everything random.
        folder: for what contestants load.
        peers: those who take part, as `describe` takes them.

    Raises:
        MtcliError: DATA/newstest2014 is not there, or the directory is no model.
    """
    rng = random.Random(seed)
    lengths, origin = sentence_lengths(data, limit, seed)
    tgt = load_tokenizers(directory, load_architecture(directory).checksums).tgt
    words = Words.known_to(tgt)
    sources = [words.sentence(length, rng) for length in lengths]
    limits = [FORCED_TOKENS] * len(sources)
    work = Work(sources=sources, limits=limits, forced=True, length_penalty=1.0, lines=[])
    return _case(directory, name, work, origin, beam=beam, folder=folder, peers=peers)


def _case(
    directory: Path, name: str, work: Work, origin: str, *, beam: int, folder: Path, peers: Sequence[str]
) -> Case:
    model, description, refusals = describe(folder, directory, name, peers)
    return Case(
        model=model,
        text=text_of(origin, work.sources),
        description=description,
        refusals=refusals,
        work=work,
        beams=tuple({beam: 0, 1: 0}),
    )


def sentence_lengths(data: Path | None, count: int, seed: int) -> tuple[list[int], str]:
    """Return lengths in tokens, without end tokens, and where they are from.

    Raises:
        DataError: DATA/newstest2014 is not there.
    """
    if data is None:
        return news_sentences(count, seed), "random words, lengths log-normal, as news has them"
    found = [max(1, round(TOKENS_A_WORD * len(line.split()))) for line in read_lines(data / NEWSTEST)]
    rng = random.Random(seed)
    lengths = rng.sample(found, count) if count < len(found) else rng.choices(found, k=count)
    return lengths, "random words, lengths those of newstest2014, English: words times 1.3"


def trained_case(
    directory: Path, src: Path, *, limit: int | None, beam: int, folder: Path, peers: Sequence[str]
) -> Case:
    """Let a model directory decode the first lines of a file, with the limits that mtcli sets.

    Raises:
        MtcliError: the directory is no model, or a line is blank or longer than the model takes at once.
    """
    directory = directory.resolve()
    architecture = load_architecture(directory)
    work = line_work(
        list(read_lines(src))[:limit],
        load_tokenizers(directory, architecture.checksums).src,
        architecture.decoding,
        longest_source=architecture.model.max_length,
        longest_output=Transformer.skeleton(architecture.model, architecture.vocabulary).max_positions,
    )
    return _case(directory, directory.name, work, src.name, beam=beam, folder=folder, peers=peers)


def line_work(
    lines: Sequence[str], tokenizer: Tokenizer, options: DecodingConfig, *, longest_source: int, longest_output: int
) -> Work:
    """Return lines as tokens, with the limits that mtcli sets; the longest are in tokens, end token included.

    Raises:
        DataError: a line is blank, or longer than the model takes at once: peers would not do the same work.
    """
    sources = [[*tokenizer.encode(line), tokenizer.eos_id] for line in lines]
    for number, source in enumerate(sources, start=1):
        if not 1 < len(source) <= longest_source:
            raise DataError(
                f"Line {number} of the source has {len(source) - 1} tokens; expected 1 to {longest_source - 1}, which "
                "the model translates as a whole. Leave it out of source and reference."
            )
    limits = [options.longest_output(len(source), longest_output) for source in sources]
    return Work(sources=sources, limits=limits, forced=False, length_penalty=options.length_penalty, lines=list(lines))


def text_of(origin: str, src: Sequence[Sequence[int]], tgt: Sequence[Sequence[int]] = ()) -> Text:
    """Return the `text` entry of a results file."""
    lengths, others = ([len(sentence) for sentence in side] for side in (src, tgt))
    return Text(
        origin=origin,
        sentences=len(lengths),
        mean_src=sum(lengths) / len(lengths),
        mean_tgt=sum(others) / len(others) if others else None,
        longest=max(lengths + others),
    )


def describe(folder: Path, directory: Path, name: str, peers: Sequence[str]) -> tuple[Model, Path, dict[str, str]]:
    """Write, into `folder`, a model directory's description and what peers load.

    Args:
        folder, directory, name: where to, which model, and as tables name it.
        peers: of `ct2`, `hf`, `joeynmt` those who take part.

    Returns:
        The model in numbers, the description, and why a peer cannot hold it, by its name.

    Raises:
        MtcliError: the directory is no model, or a tokenizer is damaged.
    """
    architecture = load_architecture(directory)
    tgt = load_tokenizers(directory, architecture.checksums).tgt
    network = Transformer.skeleton(architecture.model, architecture.vocabulary)
    content: dict[str, Any] = {
        "directory": str(directory),
        "weights": str(directory / WEIGHTS),
        "model": architecture.model.model_dump(),
        "vocabulary": dataclasses.asdict(architecture.vocabulary),
        "start": tgt.start_id,
        "eos": tgt.eos_id,
        "banned": tgt.never_generated,
        "num_positions": network.max_positions,
    }
    refusals = {}
    if "joeynmt" in peers and network.output.bias is not None:
        refusals["joeynmt"] = "JoeyNMT's output layer has no bias; this model's has one."
    for peer, export in (("ct2", export_ctranslate2), ("hf", export_hf)):
        if peer in peers:
            content[peer] = str(folder / peer)
            (folder / peer).mkdir()
            try:
                export(directory, folder / peer)
            except ConfigError as error:
                refusals[peer] = str(error)
    path = folder / "description.json"
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    record = model_record(name, network.config, network.vocabulary.target, network.num_parameters())
    return record, path, refusals


def model_record(name: str, config: ModelConfig, vocabulary: int, parameters: int) -> Model:
    """Return the `model` entry of a results file."""
    fields = ("encoder_layers", "decoder_layers", "d_model", "ffn_dim", "heads", "norm")
    sizes = {field: getattr(config, field) for field in fields}
    return Model(name=name, vocabulary=vocabulary, parameters=parameters, **sizes)
