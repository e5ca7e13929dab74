"""Prepares a training run's data once: tokenizer, tokenised corpus, validation set, all kept in the run's cache.

The cache is keyed by the content of the files and by every setting that matters, so the same command
finds its work done, and a changed corpus or setting is never mistaken for the old one.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any

from rich.console import Console

from mtcli.config import Config, DataConfig
from mtcli.data.arrays import TokenArray
from mtcli.data.batching import Share, TokenBatches
from mtcli.data.cache_key import Contents, cache_key, earlier_key
from mtcli.data.conventions import TextConventions
from mtcli.data.corpus import ParallelCorpus, hash_files, refuse_structured, training_corpora, validation_corpus
from mtcli.data.normalisation import CURRENT
from mtcli.data.pairs import Pairs, SampledPairs
from mtcli.data.pairs import ParallelArrays as ParallelArrays
from mtcli.data.places import Places, map_lines
from mtcli.data.processes import in_order
from mtcli.data.progress import PassProgress, Report
from mtcli.data.segmentation import Sampler
from mtcli.data.sentences import multi_sentence_share
from mtcli.data.survey import ALONE, CHUNK, Survey, chunks_of, survey
from mtcli.data.tokenise import BYTES, Tokenised, Tokenising, write_arrays
from mtcli.data.tokenizer import Tokenizer, Tokenizers, train_tokenizer
from mtcli.data.valid_set import ValidationText, read_lines_of, warnings
from mtcli.errors import ConfigError, DataError
from mtcli.files import sync
from mtcli.processors import available_cpus


@dataclass(frozen=True)
class PreparedData:
    """All that training reads.

    Attributes:
        train, valid: tokenised pairs; of training pairs the tokens without chance, whose lengths batches are formed by.
        pairs: what batches of training pairs are gathered from; draws their tokens where data.sampling asks for it.
        shares: how often each corpus's pairs come up; empty where all come up once.
        valid_src, valid_ref: the validation set as text, for BLEU.
        facts: counts and hashes for the model's provenance.
        places: where training pairs came from.
    """

    tokenizers: Tokenizers
    train: ParallelArrays
    valid: ParallelArrays
    pairs: Pairs
    shares: tuple[Share, ...]
    valid_src: list[str]
    valid_ref: list[str]
    facts: dict[str, Any]
    places: Places

    @property
    def key(self) -> str:
        """Names the files' content and the settings that made this of them."""
        return str(self.facts["key"])

    @property
    def text(self) -> TextConventions:
        """What a model that learns from this expects of its text."""
        return _conventions(self.facts)

    def batches(self, batch_tokens: int, seed: int) -> TokenBatches:
        """Batches of training pairs, each pair as often in an epoch as its corpus's weight says."""
        return TokenBatches(self.train.src.lengths, self.train.tgt.lengths, batch_tokens, seed, self.shares)

    def place(self, index: int) -> str:
        """`file:line` of a training pair: on the source side, or in the table."""
        return self.places[index]


def prepare(
    config: Config,
    run_dir: Path,
    report: Report,
    expected_key: str | None = None,
    *,
    normalisation: int = CURRENT,
    console: Console | None = None,
    may_build: bool = True,
) -> PreparedData:
    """Read, tokenise and cache the corpora, or find that done.

    The tokenizer is trained on all corpora together, every line once whatever the weights, so that each has the
    share of its size; of more than data.tokenizer_lines it is trained on lines spread evenly over all.

    Args:
        report: told what happens, in sentences.
        expected_key: names the corpus that a run to go on with began with. A run of an earlier mtcli goes on with what
            that prepared, as it is.
        normalisation: version of the rule by which text is read.
        console: where to show how far it has come, if it is a terminal; else sentences tell, now and then.
        may_build: False where another process reads stdin and does all this before.

    Raises:
        DataError: a corpus cannot be used (see `ParallelCorpus`), no pair is left to train on, or it is not done and
            may not be.
        ConfigError: the vocabulary size does not fit the corpora, they are not the expected ones, or a weight asks
            for less than one pair an epoch.
    """
    cache = run_dir / "cache"
    corpora = training_corpora(config.data, cache / "stdin.tsv", reads_stdin=may_build)
    valid = validation_corpus(config.data, cache, reads_pipes=may_build)
    hashes = {"train": hash_files(corpora), "valid": hash_files([valid])}
    contents = Contents.of(corpora, valid, hashes)
    is_earlier = expected_key == (key := earlier_key(config, contents))
    directory = cache / (key if is_earlier else cache_key(config, contents, normalisation))
    if expected_key not in (None, directory.name):
        raise ConfigError(
            f"The run in {run_dir} began with another corpus or tokenizer (its files have changed since). "
            "Put the old files back to go on with it, or give another -o for a new run."
        )
    if not (directory / "facts.json").exists():
        if is_earlier:
            raise DataError(
                f"The run in {run_dir} was begun by an earlier mtcli, and the corpus that it prepared is no longer in "
                f"{directory}: this mtcli reads text in another way. Give another -o for a new run."
            )
        if not may_build:
            raise DataError(
                f"{directory} does not hold the corpus that another process of this run has prepared. All need the "
                "same files and the same run directory, on a file system that they share."
            )
        _build(config, corpora, valid, hashes, directory, normalisation, report, console)
    data = _load(directory, corpora, config)
    _tell(data.facts, report)
    return data


def _build(
    config: Config,
    corpora: Sequence[ParallelCorpus],
    valid: ParallelCorpus,
    hashes: dict[str, dict[str, str]],
    directory: Path,
    normalisation: int,
    report: Report,
    console: Console | None,
) -> None:
    """Fill the cache directory; it appears under its name only when whole."""
    report("Reading the corpus ...")
    refuse_structured([*corpora, valid])
    found = survey(
        corpora,
        config.data,
        config.training.seed,
        hold_out=not valid,
        num_processes=available_cpus(),
        report=report,
        console=console,
    )
    work = directory.with_name(directory.name + ".partial")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    tokenizers = _tokenizers(config.data, found.sample, normalisation, report)
    text = TextConventions(normalisation=normalisation, multi_sentence_share=multi_sentence_share(found.sample[0]))
    found = replace(found, sample=([], []))  # up to a tenth of a gigabyte
    for side, tokenizer in (("source", tokenizers.src), ("target", tokenizers.tgt)):
        if side == "source" or not tokenizers.shared:
            (work / f"{side}.model").write_bytes(tokenizer.model)
    given = read_lines_of(valid) if valid else ([], [])
    watched = ValidationText.of(*given, tokenizers).pairs
    report("Tokenising the corpus ...")
    with PassProgress("Tokenising the corpus", found.num_pairs, report, console) as progress:
        train = _tokenise(corpora, tokenizers, config, found, watched, work, progress)
    valid_lines = given if valid else train.held_out
    valid_text = ValidationText.of(*valid_lines, tokenizers)
    valid_part = _tokenising(tokenizers, config).of_lines(*valid_lines)
    facts = {
        "key": directory.name,
        "files": hashes,
        "held_out": found.held_out is not None,
        "train": train.counts,
        "valid": write_arrays([valid_part], work / "valid", _vocab_sizes(tokenizers)),
        "valid_trained_on": sum(pair in train.watched for pair in valid_text.pairs),
        "kept": train.kept,
        "max_length": config.model.max_length,
        "vocabulary": {"source": tokenizers.src.vocab_size, "target": tokenizers.tgt.vocab_size},
        "text": text.model_dump(),
    }
    valid_text.write(work)
    _check_counts(facts, corpora, [valid] if valid else corpora)
    (work / "facts.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    for path in [*work.iterdir(), work]:
        sync(path)
    shutil.rmtree(directory, ignore_errors=True)
    work.rename(directory)


def _tokenise(
    corpora: Sequence[ParallelCorpus],
    tokenizers: Tokenizers,
    config: Config,
    found: Survey,
    watched: frozenset[tuple[str, str]],
    work: Path,
    progress: PassProgress,
) -> "_Written":
    """Write the training pairs' arrays."""
    keep_text, num_processes = config.data.sampling > 0, available_cpus()
    is_small = found.num_pairs <= ALONE * CHUNK
    tokenising = replace(
        _tokenising(tokenizers, config),
        held_out=found.held_out,
        keep_text=keep_text,
        watched=watched,
        # Few sentences are sooner done by SentencePiece's threads than processes are started.
        num_threads=num_processes if is_small else 1,
    )
    sizes = _vocab_sizes(tokenizers) | ({"src.text": BYTES, "tgt.text": BYTES} if keep_text else {})
    written = _Written(sum(len(corpus.sources) for corpus in corpora))
    with closing(in_order(tokenising, chunks_of(corpora), 1 if is_small else num_processes)) as parts:
        written.counts = write_arrays(written.watch(parts, progress), work / "train", sizes)
    return written


def _tokenising(tokenizers: Tokenizers, config: Config) -> Tokenising:
    src, tgt = tokenizers.src, tokenizers.tgt
    return Tokenising(src.model, tgt.model, config.model.max_length, normalisation=src.normalisation)


def _vocab_sizes(tokenizers: Tokenizers) -> dict[str, int]:
    return {"src": tokenizers.src.vocab_size, "tgt": tokenizers.tgt.vocab_size}


class _Written:
    """What is remembered of the parts of a corpus while they are written.

    Attributes:
        counts: of all pairs.
        kept: pairs kept of each source.
        held_out: source and target lines of the pairs to validate on.
        watched: pairs that were looked out for and found.
    """

    def __init__(self, num_sources: int) -> None:
        self.counts: dict[str, int] = {}
        self.kept = [0] * num_sources
        self.held_out: tuple[list[str], list[str]] = ([], [])
        self.watched = set[tuple[str, str]]()

    def watch(self, parts: Iterator[Tokenised], progress: PassProgress) -> Iterator[Tokenised]:
        for part in parts:
            yield part
            self.kept[part.source] += len(part.lines)
            self.watched |= part.watched
            for all_lines, lines in zip(self.held_out, part.held_out, strict=True):
                all_lines += lines
            progress.advance(part.num_read, part.num_read)


def _tokenizers(
    data: DataConfig, sample: tuple[list[str], list[str]], normalisation: int, report: Report
) -> Tokenizers:
    if given := _given_tokenizers(data, normalisation):
        sizes = {given.src.vocab_size, given.tgt.vocab_size}
        if "vocab_size" in data.model_fields_set and data.vocab_size not in sizes:
            pieces = " and ".join(f"{size:,}" for size in sorted(sizes))
            report(
                f"Warning: data.vocab_size = {data.vocab_size} is not used: the tokenizer given has {pieces} pieces."
            )
        return given
    report(f"Training the tokenizer ({data.tokenizer_type}, {data.vocab_size} pieces) ...")
    src, tgt = sample
    if data.joint:
        shared = _train_one(data, chain(src, tgt), report)
        return Tokenizers(shared, shared)
    return Tokenizers(_train_one(data, src, report), _train_one(data, tgt, report))


def _given_tokenizers(data: DataConfig, normalisation: int) -> Tokenizers | None:
    if data.src_tokenizer and data.tgt_tokenizer:
        given = (data.src_tokenizer, data.tgt_tokenizer)
        return Tokenizers(*(Tokenizer.from_file(path, normalisation) for path in given))
    if data.tokenizer:
        shared = Tokenizer.from_file(data.tokenizer, normalisation)
        return Tokenizers(shared, shared)
    return None


def _train_one(data: DataConfig, lines: Iterable[str], report: Report) -> Tokenizer:
    tokenizer, warning = train_tokenizer(
        lines,
        vocab_size=data.vocab_size,
        model_type=data.tokenizer_type,
        character_coverage=data.character_coverage,
        num_threads=available_cpus(),
    )
    if warning:
        report(f"Warning: {warning}")
    return tokenizer


def _conventions(facts: dict[str, Any]) -> TextConventions:
    return TextConventions.model_validate(facts.get("text", {}))


def _names(corpora: Sequence[ParallelCorpus]) -> str:
    return ", ".join(str(path) for corpus in corpora for path in corpus.files)


def _check_counts(facts: dict[str, Any], corpora: Sequence[ParallelCorpus], valid: Sequence[ParallelCorpus]) -> None:
    for part, source in (("train", corpora), ("valid", valid)):
        counts = facts[part]
        if counts["pairs"] == 0:
            which = "to train on" if part == "train" else "to validate on"
            raise DataError(
                f"{_names(source)}: no sentence pair is left {which}. {counts['empty']} were empty on one side, "
                f"{counts['too_long']} longer than {facts['max_length']} tokens (model.max_length). "
                "More text, or a larger model.max_length, is needed."
            )


def _load(directory: Path, corpora: Sequence[ParallelCorpus], config: Config) -> PreparedData:
    facts = json.loads((directory / "facts.json").read_text(encoding="utf-8"))
    normalisation = _conventions(facts).normalisation
    src = Tokenizer.from_file(directory / "source.model", normalisation)
    separate = directory / "target.model"
    tokenizers = Tokenizers(src, Tokenizer.from_file(separate, normalisation) if separate.exists() else src)
    train, valid = (_arrays(directory, part) for part in ("train", "valid"))
    valid_text = ValidationText.read(directory)
    kept = facts["kept"]
    names = [str(files[0]) for corpus in corpora for files in corpus.sources]
    return PreparedData(
        tokenizers,
        train,
        valid,
        _pairs(config, tokenizers, train, directory),
        _shares(corpora, kept),
        valid_text.src,
        valid_text.ref,
        facts,
        Places(names, kept, map_lines(directory / "train.lines")),
    )


def _arrays(directory: Path, part: str, kind: str = "") -> ParallelArrays:
    return ParallelArrays(*(TokenArray(directory / f"{part}.{side}{kind}") for side in ("src", "tgt")))


def _pairs(config: Config, tokenizers: Tokenizers, train: ParallelArrays, directory: Path) -> Pairs:
    strength = config.data.sampling
    if not strength:
        return train
    src = Sampler(tokenizers.src, strength)
    tgt = src if tokenizers.shared else Sampler(tokenizers.tgt, strength)
    ends = (tokenizers.src.eos_id, tokenizers.tgt.eos_id)
    return SampledPairs(train, _arrays(directory, "train", ".text"), (src, tgt), ends, config.model.max_length)


def _shares(corpora: Sequence[ParallelCorpus], kept: Sequence[int]) -> tuple[Share, ...]:
    """The corpora's places among the pairs, with their weights; none where all pairs come up once."""
    if all(corpus.weight == 1 for corpus in corpora):
        return ()
    source_ends = [0, *accumulate(kept)]
    ends = [source_ends[number] for number in accumulate((len(corpus.sources) for corpus in corpora), initial=0)]
    shares = tuple(
        Share(start, stop, corpus.weight) for (start, stop), corpus in zip(pairwise(ends), corpora, strict=True)
    )
    for share, corpus in zip(shares, corpora, strict=True):
        num_pairs = share.stop - share.start
        if num_pairs * share.weight < 1:
            raise ConfigError(
                f"{_names([corpus])}: of {num_pairs} pairs a weight of {share.weight:g} is less than one an epoch. "
                "Give the corpus a larger weight, or leave it out."
            )
    return shares


def _tell(facts: dict[str, Any], report: Report) -> None:
    for part, name in (("train", "Training"), ("valid", "Validation")):
        counts = facts[part]
        held_out = (
            " (held out of the corpus: no validation set was given)" if part == "valid" and facts["held_out"] else ""
        )
        report(
            f"{name}: {counts['pairs']:,} pairs, {counts['src_tokens']:,} source and {counts['tgt_tokens']:,} "
            f"target tokens{held_out}."
        )
        if counts["empty"] or counts["too_long"]:
            report(f"{name}: {_skipped(counts, facts['max_length'], counts_for_bleu=part == 'valid')}")
    for sentence in warnings(facts):
        report(sentence)


def _skipped(counts: dict[str, int], max_length: int, *, counts_for_bleu: bool) -> str:
    empty = f"skipped {counts['empty']:,} pairs empty on one side"
    too_long = f"{counts['too_long']:,} longer than {max_length} tokens (model.max_length)"
    if counts_for_bleu and counts["too_long"]:
        return f"{empty}; {too_long} count for BLEU, and not for perplexity."
    return f"{empty} and {too_long}."
