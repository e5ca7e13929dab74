"""Prepares a training run's data once: tokenizer, tokenised corpus, validation set, all kept in the run's cache.

The cache is keyed by the content of the files and by every setting that matters, so the same command
finds its work done, and a changed corpus or setting is never mistaken for the old one.
"""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from mtcli.config import Config, DataConfig
from mtcli.data.arrays import TokenArray, TokenArrayWriter
from mtcli.data.corpus import HeldOut, ParallelCorpus, SentencePair, held_out_size, training_corpus
from mtcli.data.tokenizer import Tokenizer, train_tokenizer
from mtcli.errors import ConfigError, DataError
from mtcli.files import read_lines

_FORMAT = 1
_CHUNK = 10_000  # lines tokenised at once
Report = Callable[[str], None]


@dataclass(frozen=True)
class Tokenizers:
    """The two sides' tokenizers; one object when the vocabulary is shared."""

    src: Tokenizer
    tgt: Tokenizer

    @property
    def shared(self) -> bool:
        return self.src is self.tgt


@dataclass(frozen=True)
class ParallelArrays:
    """A tokenised corpus: sentence i of both sides, each ended by its end-of-sentence token."""

    src: TokenArray
    tgt: TokenArray


@dataclass(frozen=True)
class PreparedData:
    """All that training reads.

    Attributes:
        train, valid: tokenised pairs.
        valid_src, valid_ref: the validation set as text, for BLEU.
        facts: counts and hashes for the model's provenance.
    """

    tokenizers: Tokenizers
    train: ParallelArrays
    valid: ParallelArrays
    valid_src: list[str]
    valid_ref: list[str]
    facts: dict[str, Any]

    @property
    def key(self) -> str:
        """Names the files' content and the settings that made this of them."""
        return str(self.facts["key"])


def prepare(config: Config, run_dir: Path, report: Report, expected_key: str | None = None) -> PreparedData:
    """Read, tokenise and cache the corpus, or find that done.

    Args:
        report: told what happens, in sentences.
        expected_key: names the corpus that a run to go on with began with.

    Raises:
        DataError: the corpus cannot be used (see `ParallelCorpus`), or no pair is left to train on.
        ConfigError: the vocabulary size does not fit the corpus, or the corpus is not the expected one.
    """
    cache = run_dir / "cache"
    corpus = training_corpus(config.data, cache / "stdin.tsv")
    valid = ParallelCorpus(tuple(zip(config.data.valid_src, config.data.valid_tgt, strict=True)))
    hashes = {"train": corpus.hashes(), "valid": valid.hashes()}
    contents = [_contents(corpus, hashes["train"]), _contents(valid, hashes["valid"])]
    directory = cache / _cache_key(config, contents)
    if expected_key not in (None, directory.name):
        raise ConfigError(
            f"The run in {run_dir} began with another corpus or tokenizer (its files have changed since). "
            "Put the old files back to go on with it, or give another -o for a new run."
        )
    if not (directory / "facts.json").exists():
        _build(config, corpus, valid, hashes, directory, report)
    data = _load(directory)
    _tell(data.facts, report)
    return data


def _contents(corpus: ParallelCorpus, hashes: dict[str, str]) -> list[str]:
    """What is read, in order: a file given twice stands here twice."""
    sides = [hashes[str(path)] for pair in corpus.sides for path in pair]
    return sides + [f"table {hashes[str(table)]}" for table in corpus.tables]


def _cache_key(config: Config, contents: list[list[str]]) -> str:
    data = config.data
    given = [Tokenizer.from_file(path).model for path in _given_tokenizers(data)]
    settings = {
        "format": _FORMAT,
        "hashes": contents,
        "tokenizers": [hashlib.blake2b(model, digest_size=16).hexdigest() for model in given],
        "max_length": config.model.max_length,
        "seed": config.training.seed,
        "data": data.model_dump(
            include={
                "valid_size",
                "tokenizer_type",
                "joint",
                "vocab_size",
                "character_coverage",
                "tokenizer_lines",
            }
        ),
    }
    return hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=8).hexdigest()


def _given_tokenizers(data: DataConfig) -> list[Path]:
    given = (data.tokenizer, data.src_tokenizer, data.tgt_tokenizer)
    return [path for path in given if path is not None]


def _build(
    config: Config,
    corpus: ParallelCorpus,
    valid: ParallelCorpus,
    hashes: dict[str, dict[str, str]],
    directory: Path,
    report: Report,
) -> None:
    """Fill the cache directory; it appears under its name only when whole."""
    report("Reading the corpus ...")
    num_pairs = corpus.count()
    held_out = None
    if not valid:
        size = held_out_size(num_pairs, config.data.valid_size)
        usable = (pair.src for pair in corpus if pair.src.strip() and pair.tgt.strip())
        held_out = HeldOut(usable, size, config.training.seed)
        if next(_keep(corpus, held_out, kept=False), None) is None:
            raise DataError(
                f"{_names(corpus)}: too small to hold sentences out for validation, none would be left to train "
                "on. Give more text, or a validation set (--valid-src F --valid-tgt F)."
            )
    work = directory.with_name(directory.name + ".partial")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    tokenizers = _tokenizers(config.data, lambda: _keep(corpus, held_out, kept=False), report)
    for side, tokenizer in (("source", tokenizers.src), ("target", tokenizers.tgt)):
        if side == "source" or not tokenizers.shared:
            (work / f"{side}.model").write_bytes(tokenizer.model)
    max_length = config.model.max_length
    report("Tokenising the corpus ...")
    train_counts = _tokenise(_keep(corpus, held_out, kept=False), tokenizers, max_length, work / "train")
    valid_pairs = list(valid if valid else _keep(corpus, held_out, kept=True))
    valid_counts = _tokenise(valid_pairs, tokenizers, max_length, work / "valid")
    _write_text(work, valid_pairs)
    facts = {
        "key": directory.name,
        "files": hashes,
        "held_out": held_out is not None,
        "train": train_counts,
        "valid": valid_counts,
        "max_length": max_length,
        "vocabulary": {"source": tokenizers.src.vocab_size, "target": tokenizers.tgt.vocab_size},
    }
    _check_counts(facts, corpus, valid or corpus)
    (work / "facts.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    shutil.rmtree(directory, ignore_errors=True)
    work.rename(directory)


def _keep(corpus: Iterable[SentencePair], held_out: HeldOut | None, *, kept: bool) -> Iterator[SentencePair]:
    """The held-out pairs (`kept`), or all the others."""
    return (pair for pair in corpus if (held_out is not None and pair in held_out) == kept)


def _tokenizers(data: DataConfig, pairs: Callable[[], Iterator[SentencePair]], report: Report) -> Tokenizers:
    if data.src_tokenizer and data.tgt_tokenizer:
        return Tokenizers(Tokenizer.from_file(data.src_tokenizer), Tokenizer.from_file(data.tgt_tokenizer))
    if data.tokenizer:
        shared = Tokenizer.from_file(data.tokenizer)
        return Tokenizers(shared, shared)
    report(f"Training the tokenizer ({data.tokenizer_type}, {data.vocab_size} pieces) ...")
    limit = data.tokenizer_lines
    src_lines = (pair.src for pair in islice(pairs(), limit))
    tgt_lines = (pair.tgt for pair in islice(pairs(), limit))
    if data.joint:
        shared = _train_one(data, _chain(src_lines, tgt_lines), 2 * limit, report)
        return Tokenizers(shared, shared)
    return Tokenizers(_train_one(data, src_lines, limit, report), _train_one(data, tgt_lines, limit, report))


def _chain(*parts: Iterator[str]) -> Iterator[str]:
    for part in parts:
        yield from part


def _train_one(data: DataConfig, lines: Iterator[str], limit: int, report: Report) -> Tokenizer:
    tokenizer, warning = train_tokenizer(
        lines,
        vocab_size=data.vocab_size,
        model_type=data.tokenizer_type,
        character_coverage=data.character_coverage,
        max_lines=limit,
        num_threads=available_cpus(),
    )
    if warning:
        report(f"Warning: {warning}")
    return tokenizer


def _tokenise(pairs: Iterable[SentencePair], tokenizers: Tokenizers, max_length: int, stem: Path) -> dict[str, int]:
    """Write both sides' arrays; count the pairs kept and those skipped, by reason."""
    counts = Counter({"pairs": 0, "empty": 0, "too_long": 0, "src_tokens": 0, "tgt_tokens": 0})
    threads = available_cpus()
    src_stem, tgt_stem = stem.with_name(stem.name + ".src"), stem.with_name(stem.name + ".tgt")
    with (
        TokenArrayWriter(src_stem, tokenizers.src.vocab_size) as src_array,
        TokenArrayWriter(tgt_stem, tokenizers.tgt.vocab_size) as tgt_array,
    ):
        stream = iter(pairs)
        while chunk := list(islice(stream, _CHUNK)):
            src = tokenizers.src.encode_batch([pair.src for pair in chunk], threads)
            tgt = tokenizers.tgt.encode_batch([pair.tgt for pair in chunk], threads)
            for src_tokens, tgt_tokens in zip(src, tgt, strict=True):
                if not src_tokens or not tgt_tokens:
                    counts["empty"] += 1
                elif max(len(src_tokens), len(tgt_tokens)) + 1 > max_length:
                    counts["too_long"] += 1
                else:
                    src_array.extend([[*src_tokens, tokenizers.src.eos_id]])
                    tgt_array.extend([[*tgt_tokens, tokenizers.tgt.eos_id]])
                    counts["pairs"] += 1
                    counts["src_tokens"] += len(src_tokens) + 1
                    counts["tgt_tokens"] += len(tgt_tokens) + 1
    return dict(counts)


def _write_text(directory: Path, pairs: list[SentencePair]) -> None:
    (directory / "valid.src.txt").write_bytes("".join(pair.src + "\n" for pair in pairs).encode())
    (directory / "valid.tgt.txt").write_bytes("".join(pair.tgt + "\n" for pair in pairs).encode())


def _names(corpus: ParallelCorpus) -> str:
    return ", ".join(map(str, corpus.files))


def _check_counts(facts: dict[str, Any], corpus: ParallelCorpus, valid: ParallelCorpus) -> None:
    for part, source in (("train", corpus), ("valid", valid)):
        counts = facts[part]
        if counts["pairs"] == 0:
            which = "to train on" if part == "train" else "to validate on"
            raise DataError(
                f"{_names(source)}: no sentence pair is left {which}. {counts['empty']} were empty on one side, "
                f"{counts['too_long']} longer than {facts['max_length']} tokens (model.max_length). "
                "More text, or a larger model.max_length, is needed."
            )


def _load(directory: Path) -> PreparedData:
    facts = json.loads((directory / "facts.json").read_text(encoding="utf-8"))
    src = Tokenizer.from_file(directory / "source.model")
    separate = directory / "target.model"
    tokenizers = Tokenizers(src, Tokenizer.from_file(separate) if separate.exists() else src)
    train, valid = (
        ParallelArrays(TokenArray(directory / f"{part}.src"), TokenArray(directory / f"{part}.tgt"))
        for part in ("train", "valid")
    )
    valid_src, valid_ref = (list(read_lines(directory / f"valid.{side}.txt")) for side in ("src", "tgt"))
    return PreparedData(tokenizers, train, valid, valid_src, valid_ref, facts)


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
            report(
                f"{name}: skipped {counts['empty']:,} pairs empty on one side and {counts['too_long']:,} longer than "
                f"{facts['max_length']} tokens (model.max_length)."
            )


def available_cpus() -> int:
    """Threads to compute with: OMP_NUM_THREADS where it is set, else the processors this process may use."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
