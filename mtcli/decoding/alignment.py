"""Which source tokens a finished translation came from: one pass over both, as in training.

Word alignments are read off the encoder-decoder attention, averaged over heads, as in Garg et al. 2019
(arXiv:1909.02074). There the last layer but one of six was best; in shallow decoders it is the last. The
average of the upper half of the layers is close to the better of the two in both.

Axes: T target tokens, S source tokens.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from mtcli.data.tokenizer import Tokenizer
from mtcli.decoding.backend import Backend
from mtcli.decoding.forced import ForcedDecoder, Tokens
from mtcli.decoding.lines import one_line
from mtcli.decoding.scheduler import token_batches
from mtcli.translation import Translation

_BATCH_TOKENS = 2048

Link = tuple[int, int]
"""A source word and the target word it belongs to, counted from 0."""


def aligning_attention(
    forced: ForcedDecoder, sources: Tokens, targets: Tokens, start_id: int
) -> list[npt.NDArray[np.float32]]:
    """For each sentence pair the attention that aligns it.

    Args:
        forced: what decodes the targets.
        sources, targets: token ids, each ended by its end token; none longer than the network's positions.
        start_id: the decoder's first input.

    Returns:
        [T, S] float32, one a pair: the upper half of the layers, averaged with all heads; rows sum to 1.
    """
    found = forced.attention(sources, targets, start_id)
    return [layers[len(layers) // 2 :].mean(0) for layers in found]


@dataclass(frozen=True)
class _Side:
    """One side of a part: its tokens, and for each the word of the whole line that it is of."""

    tokens: list[int]
    words: list[int]


@dataclass(frozen=True)
class WordAttention:
    """Which words of a line each word of its translation looked at.

    Attributes:
        source, target: words, as white space separates them.
        weights: [target words, source words] float32; a row sums to 1, or holds zeros where the model saw nothing.
    """

    source: list[str]
    target: list[str]
    weights: npt.NDArray[np.float32]


class Aligner:
    """Finds which source word each target word came from."""

    def __init__(self, backend: Backend) -> None:
        """Prepare to align what a model wrote, with what the backend computes."""
        model = backend.model
        self._forced, self._longest = backend.forced(), model.max_positions - 1
        self._src, self._tgt = model.tokenizers.src, model.tokenizers.tgt

    def __call__(self, translations: Sequence[Translation]) -> list[str]:
        """The alignment of each line with its best translation, in Pharaoh's format: `0-0 1-2`.

        Words are what white space separates, counted from 0. Each target word is linked to the source word it
        looked at most; a blank line has an empty alignment.
        """
        return [pharaoh([links]) for links in self.links(translations)]

    def links(self, translations: Sequence[Translation]) -> list[list[Link]]:
        """The same as pairs of numbers, ascending."""
        pairs = [pair for translation in translations for pair in self._sides(translation)]
        found = self._links(pairs)
        return [
            sorted({link for part in islice(found, len(translation.source_parts)) for link in part})
            for translation in translations
        ]

    def attention(self, translation: Translation) -> WordAttention:
        """How much each word of a line's best translation looked at each word of the line."""
        source = one_line(self._src.clean(translation.source)).split()
        target = one_line(translation.text).split()
        total = np.zeros((len(target), len(source)), np.float32)
        pairs = list(self._sides(translation))
        for weights, (src, tgt) in zip(self._weights(pairs), pairs, strict=True):
            np.add.at(total, np.ix_(tgt.words, src.words), weights)
        sums = total.sum(1, keepdims=True)
        return WordAttention(source, target, np.divide(total, sums, out=total, where=sums > 0))

    def _sides(self, translation: Translation) -> Iterator[tuple[_Side, _Side]]:
        """Source and target of each part of a line."""
        best = translation.n_best[0]
        parts = [one_line(part) for part in translation.source_parts]
        sources = place_words(parts, one_line(self._src.clean(translation.source)))
        targets = place_words([one_line(part) for part in best.parts], one_line(best.text))
        for source, target in zip(sources, targets, strict=True):
            yield self._tokens(self._src, source), self._tokens(self._tgt, target)

    def _tokens(self, tokenizer: Tokenizer, words: list[tuple[int, str]]) -> _Side:
        """Tokens word by word, their end token last, as many as the network has positions for."""
        pieces = tokenizer.encode_words([text for _, text in words])
        tokens = [token for word in pieces for token in word]
        numbers = [number for (number, _), word in zip(words, pieces, strict=True) for _ in word]
        return _Side([*tokens[: self._longest], tokenizer.eos_id], numbers[: self._longest])

    def _links(self, pairs: Sequence[tuple[_Side, _Side]]) -> Iterator[list[Link]]:
        """The links of each pair, in order; similar lengths are computed together."""
        for weights, (source, target) in zip(self._weights(pairs), pairs, strict=True):
            yield word_links(weights, source.words, target.words)

    def _weights(self, pairs: Sequence[tuple[_Side, _Side]]) -> list[npt.NDArray[np.float32]]:
        """[T, S] of each pair, without end tokens."""
        found: dict[int, npt.NDArray[np.float32]] = {}
        for batch in token_batches([max(len(src.tokens), len(tgt.tokens)) for src, tgt in pairs], _BATCH_TOKENS):
            sources, targets = [pairs[place][0] for place in batch], [pairs[place][1] for place in batch]
            weights = aligning_attention(
                self._forced,
                [source.tokens for source in sources],
                [target.tokens for target in targets],
                self._tgt.start_id,
            )
            found |= {place: pair[:-1, :-1] for place, pair in zip(batch, weights, strict=True)}
        return [found[place] for place in range(len(pairs))]


def place_words(parts: Sequence[str], line: str) -> list[list[tuple[int, str]]]:
    """The words of each part, and which words of the line they are (of); the line holds the parts in order.

    A word of the line that was split, or joined without a space, is found in two parts.
    """
    placed, position, number = [], 0, 0
    for part in parts:
        start = line.index(part, position)
        number += line.count(" ", position, start)
        placed.append([(number + place, word) for place, word in enumerate(part.split(" "))])
        number += part.count(" ")
        position = start + len(part)
    return placed


def word_links(weights: npt.NDArray[np.float32], src_words: Sequence[int], tgt_words: Sequence[int]) -> list[Link]:
    """Each target word with the source word its tokens look at most, together.

    Args:
        weights: [T, S], without end tokens.
        src_words: [S], the word each source token is of, ascending.
        tgt_words: [T], the same of target tokens.
    """
    if not src_words or not tgt_words:
        return []
    columns, first_columns = np.unique(src_words, return_index=True)
    rows, first_rows = np.unique(tgt_words, return_index=True)
    by_source = np.add.reduceat(weights, first_columns, axis=1)
    by_word = np.add.reduceat(by_source, first_rows, axis=0)
    return list(zip(columns[by_word.argmax(1)].tolist(), rows.tolist(), strict=True))


def pharaoh(parts: Sequence[Sequence[Link]]) -> str:
    """A line of links, `source-target`, ascending; `parts` are those of the line's parts."""
    return " ".join(f"{source}-{target}" for source, target in sorted({link for part in parts for link in part}))
