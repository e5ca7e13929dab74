"""vocab.json, target_vocab.json and tokenizer_config.json, as transformers' MarianTokenizer writes and reads them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mtcli.data.listed import Vocabulary
from mtcli.errors import CheckpointError, UsageError
from mtcli.interop.marian_settings import MarianSettings
from mtcli.interop.reading import read_json, read_json_if_there

SOURCE_MODEL, TARGET_MODEL = "source.spm", "target.spm"
VOCABULARY, TARGET_VOCABULARY = "vocab.json", "target_vocab.json"
CONFIG, SPECIAL_TOKENS, ADDED_TOKENS = "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"
_NAMED = ("unk_token", "eos_token", "pad_token", "bos_token", "sep_token", "cls_token", "mask_token")
_DEFAULTS = {"unk_token": "<unk>", "eos_token": "</s>", "pad_token": "<pad>"}
_FLAGS = ("lstrip", "rstrip", "single_word")
_LONGEST = 1_000_000  # tokens; transformers writes far larger numbers for "no limit"


@dataclass(frozen=True)
class TokenizerFiles:
    """What the tokenizer's JSON files say.

    Attributes:
        config: tokenizer_config.json, with special_tokens_map.json laid under it.
        separate: whether each side has a list of pieces of its own.
        longest: tokens of a line, its end token included; None where no limit is set.
    """

    directory: Path
    config: Mapping[str, Any]
    separate: bool
    longest: int | None

    @classmethod
    def read(cls, directory: Path) -> "TokenizerFiles":
        """Read tokenizer_config.json and special_tokens_map.json; they may be missing.

        Raises:
            CheckpointError: one is damaged, or of another kind of tokenizer.
        """
        path = directory / CONFIG
        config = {**read_json_if_there(directory / SPECIAL_TOKENS), **read_json_if_there(path)}
        kind = config.get("tokenizer_class", "MarianTokenizer")
        if kind not in (None, "MarianTokenizer"):
            raise CheckpointError(f"{path} is of a {kind}. mtcli imports models that have a MarianTokenizer.")
        if config.get("sp_model_kwargs"):
            raise CheckpointError(
                f"{path}: sp_model_kwargs = {config['sp_model_kwargs']!r} lets SentencePiece cut in another way than "
                "the model's files say. Take it out of the file to import the model without it."
            )
        longest = config.get("model_max_length")
        is_limit = isinstance(longest, int) and 0 < longest < _LONGEST
        return cls(directory, config, bool(config.get("separate_vocabs")), longest if is_limit else None)

    def vocabulary(self, settings: MarianSettings, target_lang: str | None) -> Vocabulary:
        """The lists of pieces and how text becomes ids.

        Args:
            target_lang: the language to translate into, where the model has several: the `xx` of its piece `>>xx<<`.

        Raises:
            CheckpointError: a list is damaged, or does not fit the embeddings.
            UsageError: the model has no such language.
        """
        source = _pieces(self.directory / VOCABULARY, settings.source_size)
        target = _pieces(self.directory / TARGET_VOCABULARY, settings.target_size) if self.separate else None
        if target is None and settings.target_size != settings.source_size:
            raise CheckpointError(
                f"{self.directory / VOCABULARY} is the list of both sides, and config.json gives them "
                f"{settings.source_size} and {settings.target_size} rows of embeddings. Download the model again."
            )
        named = {name: self._named(name, source) for name in _NAMED}
        unknown, end = named["unk_token"], named["eos_token"]
        for name, piece in (("unk_token", unknown), ("eos_token", end)):
            if piece not in source:
                raise CheckpointError(
                    f"{self.directory / VOCABULARY} lacks the {name} {piece!r}. Download the model again."
                )
        if source.index(end) != settings.end:
            raise CheckpointError(
                f"{self.directory}: sentences end with {end!r}, whose id is {source.index(end)}, in the tokenizer's "
                f"files, and with id {settings.end} in config.json. Download the model again."
            )
        special = [piece for piece in dict.fromkeys([*named.values(), *self._extra()]) if piece]
        added = self._added(source)
        cut = {*added, *special}
        hidden = {*special, *(piece for piece, is_special in added.items() if is_special)}
        if missing := sorted(cut - {*source}):
            raise CheckpointError(
                f"{self.directory}: the tokenizer's special token {missing[0]!r} is not in {VOCABULARY}, so the "
                "network has no embedding for it. Take it out of the tokenizer's files to import the model without it."
            )
        try:
            found = Vocabulary(
                source=tuple(source),
                target=None if target is None else tuple(target),
                unknown=unknown,
                end=end,
                padding=named["pad_token"],
                start=settings.start,
                never=settings.never,
                cut=() if self.config.get("split_special_tokens") else tuple(sorted(cut, key=source.index)),
                hidden=tuple(sorted(hidden, key=source.index)),
                tidy=bool(self.config.get("clean_up_tokenization_spaces")),
                languages=(str(self.config.get("source_lang") or ""), str(self.config.get("target_lang") or "")),
            )
        except ValidationError as error:
            problem = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise CheckpointError(f"{self.directory} is not whole: {problem}. Download the model again.") from None
        return _into(found, target_lang, self.directory)

    def _named(self, name: str, source: list[str]) -> str:
        """A special token that has a name; "" if there is none. Padding may do without a piece: nothing is padded."""
        text = _text(self.config.get(name, _DEFAULTS.get(name)))
        return "" if name == "pad_token" and text not in source else text

    def _extra(self) -> list[str]:
        found = self.config.get("extra_special_tokens") or self.config.get("additional_special_tokens") or []
        return [_text(token) for token in (found.values() if isinstance(found, dict) else found)]

    def _added(self, source: list[str]) -> dict[str, bool]:
        """Tokens that are cut out of text, and whether each is special: its text is hidden."""
        path, entries = self.directory / CONFIG, self.config.get("added_tokens_decoder")
        if entries is None:
            added = read_json_if_there(self.directory / ADDED_TOKENS)
            entries = {str(token): {"content": text, "special": False} for text, token in added.items()}
        found: dict[str, bool] = {}
        for token, entry in entries.items():
            text = _text(entry)
            if any(entry.get(flag) for flag in _FLAGS):
                raise CheckpointError(
                    f"{path}: the token {text!r} takes spaces or whole words with it, which mtcli's tokenizer does "
                    "not. Take lstrip, rstrip and single_word out of the file to import the model without them."
                )
            if not token.isdecimal() or int(token) >= len(source) or source[int(token)] != text:
                raise CheckpointError(
                    f"{path}: the added token {text!r} has the id {token}, which is another piece's in {VOCABULARY} or "
                    "none. Download the model again."
                )
            found[text] = bool(entry.get("special"))
        return found


def _text(token: Any) -> str:
    """A token, which is written as its text or as an object with it."""
    return str((token.get("content") if isinstance(token, dict) else token) or "")


def _pieces(path: Path, size: int) -> list[str]:
    """The pieces of a list by their ids.

    Raises:
        CheckpointError: it is damaged, or does not hold the ids from 0 to `size` - 1.
    """
    ids = read_json(path)
    if not all(type(token) is int for token in ids.values()):
        raise CheckpointError(f"{path} is damaged: a number for each piece was expected. Download the model again.")
    if sorted(ids.values()) != list(range(size)):
        raise CheckpointError(
            f"{path} has {len(ids)} pieces with ids from {min(ids.values(), default=0)} to "
            f"{max(ids.values(), default=0)}; the embedding has {size} rows, one for each id from 0 to {size - 1}. "
            "Put back the vocabulary that belongs to the weights."
        )
    return sorted(ids, key=ids.__getitem__)


def _into(vocabulary: Vocabulary, target_lang: str | None, directory: Path) -> Vocabulary:
    if target_lang is None:
        return vocabulary
    piece = target_lang if re.fullmatch(r">>.*<<", target_lang) else f">>{target_lang}<<"
    languages = vocabulary.language_pieces
    if piece not in languages:
        has = f"it has {', '.join(languages)}" if languages else "it translates into one language alone: leave it out"
        raise UsageError(f"--target-lang {target_lang}: {directory} has no piece {piece}; {has}.")
    return vocabulary.model_copy(update={"prefix": piece})
