"""SentencePiece (Kudo and Richardson 2018), trained so that no character is ever lost."""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import sentencepiece as spm

from mtcli.config import VocabularySizes
from mtcli.data.normalisation import CURRENT, FIRST, invisible_among, normalise
from mtcli.errors import ConfigError, DataError
from mtcli.files import file_error, missing_file

UNK_ID, BOS_ID, EOS_ID, PAD_ID = 0, 1, 2, 3
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
_REPLACEMENT = "\ufffd"  # what SentencePiece writes for bytes that make no character
SPACE = "\u2581"  # how pieces write a space
_FEW = 8  # texts: for a list SentencePiece starts a thread, which takes longer than so many one by one
_LARGEST_LINE = 16_384  # bytes; a longer line would only slow the trainer down


def load_processor(model: bytes, name: str) -> spm.SentencePieceProcessor:
    """SentencePiece with a serialised model; `name` is what messages call it.

    Raises:
        DataError: the bytes are not a SentencePiece model.
    """
    processor = spm.SentencePieceProcessor()
    try:
        loaded = processor.LoadFromSerializedProto(model)
        size = processor.vocab_size()
        processor.id_to_piece(list(range(size)))  # a damaged piece may not be UTF-8
    except (RuntimeError, ValueError) as error:
        raise DataError(f"{name} is damaged or not a SentencePiece model ({error}). Expected a .model file.") from None
    if not loaded or size == 0:
        raise DataError(f"{name} is not a SentencePiece model. Expected a .model file.")
    return processor


def pieces_of(processor: spm.SentencePieceProcessor) -> list[str]:
    """All pieces as text, by their ids."""
    return list(processor.id_to_piece(list(range(processor.vocab_size()))))


def whole_characters(pieces: Sequence[str]) -> list[str]:
    """The pieces without those bytes that are no part of a whole character: a model may write them, text has none."""
    kept: list[str] = []
    for is_bytes, run in groupby(pieces, key=lambda piece: _BYTE.fullmatch(piece) is not None):
        if is_bytes:
            content = bytes(int(piece[3:5], 16) for piece in run)
            kept += [f"<0x{byte:02X}>" for byte in content.decode("utf-8", "ignore").encode()]
        else:
            kept += run
    return kept


class Tokenizer:
    """One SentencePiece model: text to token ids and back.

    Attributes:
        eos_id: ends every sentence.
        start_id: what the decoder reads first: the model's bos, or its eos where it has none.
        normalisation: the version of the rule by which text is read (mtcli/data/normalisation.py).
        known: invisible characters that are read all the same.
    """

    def __init__(self, model: bytes, name: str = "the tokenizer", normalisation: int = CURRENT) -> None:
        """Load a serialised SentencePiece model; `name` is what messages call it.

        Raises:
            DataError: the bytes are not a SentencePiece model, or it has no end-of-sentence piece.
        """
        self.model = model
        self._processor = load_processor(model, name)
        self.eos_id: int = self._processor.eos_id()
        if self.eos_id < 0:
            raise DataError(f"{name} has no end-of-sentence piece. Train it with an eos id.")
        bos_id = self._processor.bos_id()
        self.start_id: int = bos_id if bos_id >= 0 else self.eos_id
        self.normalisation = normalisation
        self.known = invisible_among(pieces_of(self._processor)) if normalisation == FIRST else frozenset()

    @classmethod
    def from_file(cls, path: Path, normalisation: int = CURRENT) -> "Tokenizer":
        """Load a .model file.

        Raises:
            DataError: the file is missing, unreadable, or no SentencePiece model.
        """
        try:
            return cls(path.read_bytes(), str(path), normalisation)
        except FileNotFoundError:
            raise missing_file(path, "The tokenizer") from None
        except OSError as error:
            raise file_error(path, error, "read") from error

    @property
    def vocab_size(self) -> int:
        return int(self._processor.vocab_size())

    @property
    def never_generated(self) -> list[int]:
        """Ids that stand for no text: unknown, start and padding, as far as the model has them."""
        special = (self._processor.unk_id(), self._processor.bos_id(), self._processor.pad_id())
        return sorted({token for token in special if token >= 0} - {self.eos_id})

    @property
    def unk_id(self) -> int:
        """What stands for text that no piece does."""
        return int(self._processor.unk_id())

    @property
    def pad_id(self) -> int | None:
        """What fills up batches in other systems; mtcli needs none."""
        token = int(self._processor.pad_id())
        return token if token >= 0 else None

    def shares_ids_with(self, other: "Tokenizer") -> bool:
        """Whether an id stands for the same piece in both, though they may cut text in different ways."""
        return self is other

    def clean(self, line: str) -> str:
        """A line as the model reads it: normalised."""
        return normalise(line, self.known)

    def lead(self, text: str) -> str:
        """The beginning of a cleaned line that belongs before each part of it: none."""
        return ""

    def encode(self, text: str) -> list[int]:
        """Token ids of a line, without an end-of-sentence token; empty for a blank line."""
        return list(self._processor.encode(self.clean(text)))

    def encode_batch(self, texts: Sequence[str], num_threads: int = 1) -> list[list[int]]:
        """`encode` for many lines at once."""
        return self.encode_clean([self.clean(text) for text in texts], num_threads)

    def encode_clean(self, texts: list[str], num_threads: int = 1) -> list[list[int]]:
        """`encode_batch` for lines that `clean` has been over."""
        if len(texts) <= _FEW:
            return [list(self._processor.encode(text)) for text in texts]
        return list(self._processor.encode(texts, num_threads=num_threads))

    def encode_words(self, words: Sequence[str]) -> list[list[int]]:
        """The ids of each word of a line."""
        return self.encode_batch(words)

    def surface(self, text: str) -> str:
        """A line as its pieces spell it: spaces marked, and changed as the model wants its text."""
        return str(self._processor.normalize(self.clean(text)))

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of token ids; an end-of-sentence token stands for nothing, nor do bytes that make no character."""
        shown = [token for token in tokens if token != self.eos_id]
        text = str(self._processor.decode(shown))
        if _REPLACEMENT in text:
            text = str(self._processor.decode_pieces(whole_characters(self.pieces(shown))))
        return text

    def line(self, tokens: Sequence[int]) -> str:
        """`decode` on one line: every run of white space is one space."""
        return " ".join(self.decode(tokens).split())

    def lines(self, sentences: Sequence[Sequence[int]]) -> list[str]:
        """`line` for many sentences at once."""
        shown = [[token for token in tokens if token != self.eos_id] for tokens in sentences]
        texts: list[str] = self._decode(shown)
        return [
            self.line(tokens) if _REPLACEMENT in text else " ".join(text.split())
            for tokens, text in zip(sentences, texts, strict=True)
        ]

    def _decode(self, sentences: list[list[int]]) -> list[str]:
        if len(sentences) <= _FEW:
            return [str(self._processor.decode(tokens)) if tokens else "" for tokens in sentences]
        return list(self._processor.decode(sentences))

    def pieces(self, tokens: Sequence[int]) -> list[str]:
        """The pieces as text, `▁` marking a word's start."""
        return [str(self._processor.id_to_piece(token)) for token in tokens]


def train_tokenizer(
    lines: Iterable[str],
    *,
    vocab_size: int,
    model_type: str = "unigram",
    character_coverage: float = 0.9999,
    num_threads: int = 1,
) -> tuple[Tokenizer, str | None]:
    """Learn pieces from lines of text, with byte fallback.

    A unigram model takes about 21 bytes of memory a character, all lines together; BPE takes a fraction of that.

    Returns:
        The tokenizer, and a warning when the corpus is too small for so many pieces and got fewer.

    Raises:
        ConfigError: `vocab_size` has no room for the corpus's characters and the 256 bytes.
        DataError: there is no text.
    """
    sample = [text for text in map(normalise, lines) if text]
    if not sample:
        raise DataError("The corpus holds no text to train a tokenizer on: every line is blank.")
    size, warning = vocab_size, None
    while True:
        try:
            model = _train(iter(sample), size, model_type, character_coverage, num_threads)
            break
        except RuntimeError as error:
            size = _smaller_size(str(error), size, vocab_size)
    tokenizer = Tokenizer(model)
    if tokenizer.vocab_size < vocab_size:
        warning = f"The corpus is too small for {vocab_size} pieces: the vocabulary has {tokenizer.vocab_size}."
    return tokenizer, warning


def _train(lines: Iterator[str], size: int, model_type: str, coverage: float, num_threads: int) -> bytes:
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=lines,
        model_writer=model,
        vocab_size=size,
        model_type=model_type,
        character_coverage=coverage,
        byte_fallback=True,
        normalization_rule_name="identity",  # `normalise` has done it
        hard_vocab_limit=model_type != "unigram",
        unk_id=UNK_ID,
        bos_id=BOS_ID,
        eos_id=EOS_ID,
        pad_id=PAD_ID,
        max_sentence_length=_LARGEST_LINE,
        num_threads=num_threads,
        minloglevel=2,
    )
    return model.getvalue()


def _smaller_size(message: str, size: int, wanted: int) -> int:
    """Read from the trainer's complaint how many pieces it can make."""
    if found := re.search(r"<= (\d+)", message):
        possible = int(found.group(1))
        if possible < size:
            return possible
    if found := re.search(r"required_chars.*?(\d+) vs (\d+)|(\d+) vs (\d+)", message):
        numbers = [int(number) for number in found.groups() if number]
        raise ConfigError(
            f"data.vocab_size = {wanted} is too small: the corpus needs at least {max(numbers)} pieces "
            "(its characters, 256 bytes and 4 special pieces). Use --set data.vocab_size=N."
        )
    raise ConfigError(f"SentencePiece cannot make {wanted} pieces of this corpus: {message.strip()}")


@dataclass(frozen=True)
class Tokenizers:
    """The two sides' tokenizers; one object where text of both is cut alike.

    Attributes:
        shared: whether both sides have one vocabulary.
    """

    src: Tokenizer
    tgt: Tokenizer

    @property
    def shared(self) -> bool:
        return self.src.shares_ids_with(self.tgt)

    @property
    def sizes(self) -> VocabularySizes:
        """Pieces on either side."""
        return VocabularySizes(source=self.src.vocab_size, target=self.tgt.vocab_size, shared=self.shared)
