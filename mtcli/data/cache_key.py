"""The name of a prepared corpus: it follows from the files' content and from every setting that matters."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtcli.config import Config, DataConfig
from mtcli.data.corpus import ParallelCorpus
from mtcli.data.tokenizer import Tokenizer

_FORMAT, _EARLIER_FORMAT = 3, 2


@dataclass(frozen=True)
class Contents:
    """What is read, in order, as hashes: a file given twice stands here twice.

    Attributes:
        corpora: of each training corpus, sides first and then tables.
        valid: of the validation set.
    """

    corpora: list[list[str]]
    valid: list[str]

    @classmethod
    def of(
        cls, corpora: Sequence[ParallelCorpus], valid: ParallelCorpus, hashes: Mapping[str, Mapping[str, str]]
    ) -> "Contents":
        """Look the files' hashes up, by `train` or `valid` and their names."""
        return cls([_contents(corpus, hashes["train"]) for corpus in corpora], _contents(valid, hashes["valid"]))


def _contents(corpus: ParallelCorpus, hashes: Mapping[str, str]) -> list[str]:
    sides = [hashes[str(path)] for pair in corpus.sides for path in pair]
    return sides + [f"table {hashes[str(table)]}" for table in corpus.tables]


def cache_key(config: Config, contents: Contents, normalisation: int) -> str:
    """Sixteen hexadecimal digits.

    Args:
        normalisation: version of the rule by which text is read.

    Raises:
        DataError: a tokenizer that is given cannot be read.
    """
    return _digest({**_settings(config, contents), "format": _FORMAT, "normalisation": normalisation})


def earlier_key(config: Config, contents: Contents) -> str:
    """The key of a corpus prepared before text was normalised by versions, and before sources were counted to hold out.

    Raises:
        DataError: a tokenizer that is given cannot be read.
    """
    return _digest({**_settings(config, contents), "format": _EARLIER_FORMAT})


def _settings(config: Config, contents: Contents) -> dict[str, Any]:
    data = config.data
    given = [Tokenizer.from_file(path).model for path in _given_tokenizers(data)]
    return {
        "hashes": [contents.corpora, contents.valid],
        "tokenizers": [hashlib.blake2b(model, digest_size=16).hexdigest() for model in given],
        "max_length": config.model.max_length,
        "seed": config.training.seed,
        "text": config.data.sampling > 0,
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


def _digest(settings: dict[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=8).hexdigest()


def _given_tokenizers(data: DataConfig) -> list[Path]:
    given = (data.tokenizer, data.src_tokenizer, data.tgt_tokenizer)
    return [path for path in given if path is not None]
