"""Tokenizers of models made elsewhere: SentencePiece cuts, and a list apart from it says which id a piece has.

Marian's models, in the form that transformers gives them, come with a SentencePiece model a side and with lists of
pieces in the order of the network's ids. A piece that a SentencePiece model knows may be missing in the list, and
many of the list's are missing in the model. This does with visible text what transformers' MarianTokenizer does, to
the letter: it leaves text as it is but for what the SentencePiece model does to it, cuts out special tokens that are
spelt in it, and takes `>>fr<<` at its beginning for one piece. Invisible characters it leaves out beforehand, but for
those that the model has pieces for (mtcli/data/normalisation.py, version 1).
"""

import json
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from mtcli.config import Section
from mtcli.data.normalisation import FIRST, invisible_among, without_invisible
from mtcli.data.tokenizer import SPACE, Tokenizer, load_processor, pieces_of, whole_characters
from mtcli.errors import DataError

_LEAD = re.compile(r">>.*?<<", re.DOTALL)
LANGUAGE = re.compile(r">>.+<<")
_BREAKS = re.compile(r"[\t\n\v\f\r]")
# As transformers' clean_up_tokenization_spaces joins them, in this order
_TIDIED = (
    *((f" {mark}", mark) for mark in ".?!,"),
    (" ' ", "'"),
    *((f" {ending}", ending) for ending in ("n't", "'m", "'s", "'ve", "'re")),
)


class Vocabulary(Section):
    """vocabulary.json: which piece has which id, and how text becomes pieces.

    Attributes:
        source, target: the pieces by id; no target where both sides have one list.
        unknown, end: the pieces that stand for what has none, and end a sentence.
        padding: the piece that pads batches elsewhere; "" if there is none.
        start: id of the decoder's first input.
        never: ids that are never generated.
        cut: texts that are a piece wherever they come in a line.
        hidden: pieces that stand for no text, by their ids in the source's list, on both sides.
        tidy: whether spaces before marks are taken out of what is written.
        prefix: begins every source line that does not begin with a language's piece itself; "" begins none.
        languages: what the original calls its languages, for export; "" where it does not.
    """

    source: tuple[str, ...] = Field(min_length=1)
    target: tuple[str, ...] | None = None
    unknown: str
    end: str
    padding: str = ""
    start: int
    never: tuple[int, ...] = ()
    cut: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    tidy: bool = False
    prefix: str = ""
    languages: tuple[str, str] = ("", "")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for side, pieces in (("source", self.source), ("target", self.of_target)):
            if len(set(pieces)) < len(pieces):
                raise ValueError(f"the {side} list has a piece twice")
            for piece in (self.unknown, self.end):
                if piece not in pieces:
                    raise ValueError(f"the {side} list lacks {piece!r}")
        if missing := [piece for piece in (*self.cut, *self.hidden, self.prefix) if piece and piece not in self.source]:
            raise ValueError(f"the source list lacks {missing[0]!r}")
        if outside := [token for token in (self.start, *self.never) if not 0 <= token < len(self.of_target)]:
            raise ValueError(f"there is no target piece {outside[0]}")
        if self.source.index(self.end) != self.of_target.index(self.end):
            raise ValueError(f"{self.end!r} has another id on each side")
        return self

    @property
    def of_target(self) -> tuple[str, ...]:
        return self.source if self.target is None else self.target

    @property
    def language_pieces(self) -> list[str]:
        """The pieces that name a target language, as `>>fr<<`."""
        return [piece for piece in self.source if LANGUAGE.fullmatch(piece)]

    def to_json(self) -> bytes:
        return (json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes, name: str) -> Self:
        """Read vocabulary.json; `name` is what messages call it.

        Raises:
            DataError: it is damaged.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            issue = error.errors()[0]
            place = ".".join(map(str, issue["loc"][:2]))
            raise DataError(
                f"{name} is damaged: {place + ': ' if place else ''}{issue['msg'].removeprefix('Value error, ')}. "
                "Import the model again."
            ) from None


class ListedTokenizer(Tokenizer):
    """One side of a model with a `Vocabulary`.

    Attributes:
        vocabulary: of both sides.
        side: which of them this is.
    """

    def __init__(
        self,
        model: bytes,
        vocabulary: Vocabulary,
        side: Literal["source", "target"],
        *,
        name: str = "the tokenizer",
        writer: bytes | None = None,
    ) -> None:
        """Load a side.

        Args:
            model: the SentencePiece model that cuts this side's text.
            writer: the one that makes text of pieces, where it is another.

        Raises:
            DataError: one of them is no SentencePiece model.
        """
        self.model, self.vocabulary, self.side = model, vocabulary, side
        self._processor = load_processor(model, name)
        self._writer = load_processor(writer, name) if writer is not None else self._processor
        self._pieces = vocabulary.source if side == "source" else vocabulary.of_target
        self._ids = {piece: token for token, piece in enumerate(self._pieces)}
        self._unknown = self._ids[vocabulary.unknown]
        self._special = {piece: vocabulary.source.index(piece) for piece in vocabulary.cut}
        self._hidden = {vocabulary.source.index(piece) for piece in vocabulary.hidden}
        # Of texts that begin alike the longest is found
        texts = sorted(self._special, key=lambda text: -len(text))
        self._cut = re.compile("(" + "|".join(map(re.escape, texts)) + ")") if texts else None
        own = pieces_of(self._processor)
        self.normalisation, self.known = FIRST, invisible_among((*own, *self._pieces))
        self._of_own = [self._ids.get(piece, self._unknown) for piece in own]
        self._own_unknown = self._processor.unk_id()
        self._prefix = vocabulary.prefix if side == "source" else ""
        self.eos_id, self.start_id = self._ids[vocabulary.end], vocabulary.start

    @property
    def vocab_size(self) -> int:
        return len(self._pieces)

    @property
    def never_generated(self) -> list[int]:
        return sorted(set(self.vocabulary.never) - {self.eos_id})

    @property
    def unk_id(self) -> int:
        return self._unknown

    @property
    def pad_id(self) -> int | None:
        return self._ids.get(self.vocabulary.padding)

    @cached_property
    def _leads(self) -> frozenset[str]:
        return frozenset(self.vocabulary.language_pieces)

    def shares_ids_with(self, other: Tokenizer) -> bool:
        return isinstance(other, ListedTokenizer) and other._pieces == self._pieces

    def clean(self, line: str) -> str:
        """The line without what cannot be seen: what else is to be done to it, the SentencePiece model does."""
        return without_invisible(line, self.known)

    def lead(self, text: str) -> str:
        """The language's piece that the line begins with, if it does."""
        found = _LEAD.match(text)
        return found[0] if found and found[0] in self._leads else ""

    def encode(self, text: str) -> list[int]:
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: Sequence[str], num_threads: int = 1) -> list[list[int]]:
        return self.encode_clean([self.clean(text) for text in texts])

    def encode_clean(self, texts: list[str], num_threads: int = 1) -> list[list[int]]:
        return [self._encode(text) for text in map(self._led, texts)]

    def encode_words(self, words: Sequence[str]) -> list[list[int]]:
        """Each word's ids; the prefix counts as of the first."""
        found = [self._encode(self.clean(word)) for word in words]
        if found and self._prefix and not self.lead(words[0]):
            found[0] = [self._ids[self._prefix], *found[0]]
        return found

    def _led(self, text: str) -> str:
        return f"{self._prefix} {text}" if self._prefix and not self.lead(text) else text

    def _encode(self, text: str) -> list[int]:
        tokens: list[int] = []
        for part in self._cut.split(text) if self._cut else [text]:
            if part in self._special:
                tokens.append(self._special[part])
            elif part:
                tokens += self._encode_part(part)
        return tokens

    def _encode_part(self, text: str) -> list[int]:
        tokens: list[int] = []
        if found := _LEAD.match(text):  # whether there is such a piece or not
            tokens.append(self._ids.get(found[0], self._unknown))
            text = text[found.end() :]
        own = self._processor.encode(text)
        if self._own_unknown not in own:
            return tokens + [self._of_own[token] for token in own]
        # What this model does not know may be a piece of the list all the same: the other side's
        pieces = self._processor.encode(text, out_type=str)
        return tokens + [self._ids.get(piece, self._unknown) for piece in pieces]

    def surface(self, text: str) -> str:
        return str(self._processor.normalize(self.clean(text)))

    def decode(self, tokens: Sequence[int]) -> str:
        pieces = [self._pieces[token] for token in tokens if token not in self._hidden]
        text = str(self._writer.decode_pieces(whole_characters(pieces))).replace(SPACE, " ").strip()
        if self.vocabulary.tidy:
            for spaced, joined in _TIDIED:
                text = text.replace(spaced, joined)
        return text

    def line(self, tokens: Sequence[int]) -> str:
        """`decode` on one line; its spaces are left as they are."""
        return _BREAKS.sub(" ", self.decode(tokens))

    def lines(self, sentences: Sequence[Sequence[int]]) -> list[str]:
        return [self.line(tokens) for tokens in sentences]

    def pieces(self, tokens: Sequence[int]) -> list[str]:
        return [self._pieces[token] for token in tokens]
