"""What happens to a line before and after the model: what is not for it, sentences, over-long lines, parts rejoined.

A part is what the model translates at once, at most `max_tokens` tokens: a sentence, where the model learnt from
single ones, else as much of the line as it holds. What is longer is split at sentence boundaries, else at clauses,
else between words, else between tokens; never cut.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from mtcli.data.normalisation import normalise, without_invisible
from mtcli.data.sentences import split_sentences
from mtcli.data.tokenizer import Tokenizer

_CLAUSE_END = re.compile(r"(?<=[,;:،؛–—])\s+|(?<=[、，；：。！？])\s*")
_MAY_HOLD_SEVERAL = re.compile(r"[^\w\s,;:'\"()\[\]-]+\W*\S")  # an end of a sentence, and something behind it
_SPACES = re.compile(r"\s+")
_SEVERAL = re.compile(r" {2,}")
_NOT_WRITTEN = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
_LONGEST_PIECE = 16  # characters, where SentencePiece is not told otherwise
# Scripts that write no space between words, and their punctuation.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3001-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\uf900-\ufaff\uff01-\uff9f\U00020000-\U0003ffff]"
)


def is_blank(line: str) -> bool:
    """Whether a line is empty or white space alone: it comes out empty."""
    return not line.strip()


def is_invisible(line: str) -> bool:
    """Whether a line holds white space and invisible characters alone: there is nothing to translate."""
    return not normalise(line)


def has_words(line: str) -> bool:
    """Whether a line holds a letter of any script: there is nothing to translate in numbers, signs and emoji alone."""
    return any(unicodedata.category(char)[0] == "L" for char in line)


def copied(line: str) -> str:
    """What is written for a line without words: the line as it is, but on one line and without tabs."""
    return line if not is_blank(line) and not _NOT_WRITTEN.search(line) else one_line(line)


def one_line(text: str) -> str:
    """The text with every run of white space as one space: what is written holds no line break and no tab."""
    return " ".join(text.split())


@dataclass(frozen=True)
class Part:
    """A piece of a line, short enough for the model.

    Attributes:
        text: what it holds of the line, as the model reads it.
        tokens: its ids; what belongs before each part of the line is among them.
        gap: the spaces that the line has behind it, where that is a sentence's end and they are more than one.
    """

    text: str
    tokens: list[int]
    gap: str = ""


def split_line(line: str, tokenizer: Tokenizer, max_tokens: int, *, by_sentence: bool = False) -> list[Part]:
    """Split one line as `split_lines`."""
    return split_lines([line], tokenizer, max_tokens, by_sentence=by_sentence)[0]


def split_lines(
    lines: Sequence[str], tokenizer: Tokenizer, max_tokens: int, *, by_sentence: bool = False
) -> list[list[Part]]:
    """Split lines into parts of at most `max_tokens` tokens each; a line's, joined, hold all of its text.

    Args:
        by_sentence: no part holds several sentences; else they are parted only where the line is too long.
    """
    texts = [tokenizer.clean(line) for line in lines]
    encoded = tokenizer.encode_clean(texts)
    return [
        _parts(line, text, tokens, tokenizer, max_tokens, by_sentence=by_sentence)
        for line, text, tokens in zip(lines, texts, encoded, strict=True)
    ]


def _parts(
    line: str, text: str, tokens: list[int], tokenizer: Tokenizer, max_tokens: int, *, by_sentence: bool
) -> list[Part]:
    """The parts of a line that has been cleaned and encoded as a whole."""
    if len(tokens) <= max_tokens and not (by_sentence and _MAY_HOLD_SEVERAL.search(text)):
        return [Part(text, tokens)]
    lead = tokenizer.lead(text)
    encode, body = _Encode(tokenizer, lead), text[len(lead) :].lstrip()
    sentences = split_sentences(body)
    if len(sentences) <= 1 or not by_sentence:
        if len(tokens) <= max_tokens:
            return [Part(text, tokens)]
        return list(_split(body, encode, max_tokens, (split_sentences, split_clauses, _words)))
    parts: list[Part] = []
    for sentence, gap in zip(sentences, _gaps(line, tokenizer, lead, sentences), strict=True):
        parts += _part_or_split(sentence, encode, max_tokens, (split_clauses, _words))
        parts[-1] = replace(parts[-1], gap=gap)
    return parts


def _gaps(line: str, tokenizer: Tokenizer, lead: str, sentences: Sequence[str]) -> Iterator[str]:
    """The spaces behind each sentence where the line, as it was typed, has several."""
    typed = without_invisible(unicodedata.normalize("NFC", line), tokenizer.known)
    words = iter(_SPACES.finditer(f"{typed.strip()} "))
    left = len(_SPACES.sub("", lead))
    seen = 0
    space = next(words)
    for sentence in sentences:
        left += len(_SPACES.sub("", sentence))
        while space.start() - seen < left and (following := next(words, None)) is not None:
            seen += len(space[0])
            space = following
        yield space[0] if space.start() - seen == left and _SEVERAL.fullmatch(space[0]) else ""


class _Encode(NamedTuple):
    """Token ids of a line's part: the line's lead belongs before each."""

    tokenizer: Tokenizer
    lead: str

    def __call__(self, text: str) -> list[int]:
        return self.tokenizer.encode(self.lead + text)


Splitter = Callable[[str], list[str]]


def _split(text: str, encode: _Encode, max_tokens: int, splitters: Sequence[Splitter]) -> Iterator[Part]:
    if not splitters:
        yield from _split_tokens(text, encode, max_tokens)
        return
    splitter, *finer = splitters
    start, end, length = 0, 0, 0  # text[start:end] is gathered
    for piece in splitter(text):
        begin = text.index(piece, end)
        size = len(encode(piece))
        if end > start and (splitter is split_sentences or length + size > max_tokens):
            yield from _part_or_split(text[start:end], encode, max_tokens, finer)
            start, length = begin, 0
        end, length = begin + len(piece), length + size
    if end > start:
        yield from _part_or_split(text[start:end], encode, max_tokens, finer)


def _part_or_split(text: str, encode: _Encode, max_tokens: int, finer: Sequence[Splitter]) -> Iterator[Part]:
    tokens = encode(text)
    if len(tokens) <= max_tokens:
        yield Part(text, tokens)
    else:
        yield from _split(text, encode, max_tokens, finer)


def split_clauses(text: str) -> list[str]:
    """Part a text behind commas, colons and dashes."""
    return [clause for raw in _CLAUSE_END.split(text) if (clause := raw.strip())]


def _words(text: str) -> list[str]:
    return text.split()


def _split_tokens(text: str, encode: _Encode, max_tokens: int) -> Iterator[Part]:
    while text:
        size = _longest_start(text, encode, max_tokens)
        start = text[:size].rstrip()
        yield Part(start, encode(start))
        text = text[size:].lstrip()


def _longest_start(text: str, encode: _Encode, max_tokens: int) -> int:
    """How many characters fit, at least one: a cut inside a character's byte pieces would lose it."""
    fits, too_long = 1, min(len(text), max_tokens * _LONGEST_PIECE) + 1
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if len(encode(text[:middle])) <= max_tokens:
            fits = middle
        else:
            too_long = middle
    return fits


def rejoin(translations: Sequence[str], gaps: Sequence[str] | None = None) -> str:
    """Join the translations of a line's parts: by the source's gaps where it has some, else by one space, or by none
    where the script writes none."""
    joined, gap = "", ""
    for text, following in zip(translations, gaps or [""] * len(translations), strict=True):
        unspaced = joined and text and _UNSPACED.match(joined[-1]) and _UNSPACED.match(text[0])
        joined += text if unspaced or not joined or not text else f"{gap or ' '}{text}"
        gap = following
    return joined
