"""Text cut into pieces at random, for training: one sentence then comes up in many spellings.

SentencePiece draws by itself too, but from generators that cannot be set to a state (each thread has its own, and
since 0.2.2 it differs between processes whatever the seed); a run could not be repeated. So its pieces and scores
are taken, and drawn from here: BPE-dropout (Provilkov et al. 2020, algorithm 1) and, for unigram models, the
subword regularisation of Kudo (2018) over all segmentations.
"""

import re
from bisect import bisect
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from math import exp, inf, log, log1p
from random import Random
from typing import TypeVar

from mtcli.data.pieces import Kind, Piece, Pieces
from mtcli.data.tokenizer import SPACE, Tokenizer

_KEPT_WORDS, _KEPT_LENGTH = 1 << 14, 20  # words of so many characters; some ten megabytes, at the very most a hundred
_UNKNOWN_PENALTY = 10.0  # SentencePiece's: an unknown character costs so much more than the worst piece
_USABLE = (Kind.NORMAL, Kind.USER_DEFINED)
_WORD = re.compile(f"{SPACE}?[^{SPACE}]*")
_Draw = Callable[[str, Random], list[int]]
Known = TypeVar("Known")


class Sampler:
    """Draws token ids for text; safe to use from several threads."""

    def __init__(self, tokenizer: Tokenizer, strength: float) -> None:
        """Set up for one tokenizer.

        Args:
            strength: BPE: probability with which a merge is left out at a step; unigram: a segmentation of
                probability p is drawn in proportion to p^strength.

        Raises:
            DataError: the tokenizer's model is of another kind.
        """
        self._tokenizer = tokenizer
        vocabulary = _Vocabulary(tokenizer)
        self._draw: _Draw = (_Merging if vocabulary.is_bpe else _Lattices)(vocabulary, strength).draw
        # Where no piece goes on beyond a space, words are drawn one by one, and what is known of a word is kept.
        self._by_word = not any(SPACE in text[1:] for text in vocabulary.ids)

    def sample(self, text: str, random: Random) -> list[int]:
        """Token ids of a line without an end token, by this generator alone; spells what `Tokenizer.encode` does."""
        surface = self._tokenizer.surface(text)
        tokens: list[int] = []
        for word in _WORD.findall(surface) if self._by_word else [surface]:
            if word:
                tokens += self._draw(word, random)
        return tokens


class _Vocabulary:
    """A tokenizer's pieces by their text, and how to spell what is not among them."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        model = Pieces.of(tokenizer.model)
        self.is_bpe = model.is_bpe
        usable = [(token, piece) for token, piece in enumerate(model.pieces) if piece.kind in _USABLE]
        self.ids = {piece.text: token for token, piece in usable}
        self.scores = {piece.text: piece.score for _, piece in usable}
        self.symbols = [piece.text for _, piece in usable if piece.kind == Kind.USER_DEFINED]
        self.longest = max((len(text) for text in self.ids), default=1)
        self._bytes = {piece.text: token for token, piece in enumerate(model.pieces) if piece.kind == Kind.BYTE}
        self._unknown = _id_of(model.pieces, Kind.UNKNOWN)

    def spell(self, texts: Sequence[str]) -> list[int]:
        """The ids of pieces; unknown text becomes its bytes, or as long as it goes on one unknown piece."""
        tokens: list[int] = []
        for text in texts:
            if text in self.ids:
                tokens.append(self.ids[text])
            elif self._bytes:
                tokens += [self._bytes[f"<0x{byte:02X}>"] for byte in text.encode("utf-8")]
            elif tokens[-1:] != [self._unknown]:
                tokens.append(self._unknown)
        return tokens


def _remembering(make: Callable[[str], Known]) -> Callable[[str], Known]:
    """Keep what is made of words that come up often; text without spaces, which comes up once, takes no room."""
    remembered = lru_cache(_KEPT_WORDS)(make)
    return lambda word: remembered(word) if len(word) <= _KEPT_LENGTH else make(word)


def _id_of(pieces: Sequence[Piece], kind: Kind) -> int:
    return next(token for token, piece in enumerate(pieces) if piece.kind == kind)


class _Merging:
    """BPE in which each possible merge is left out with some probability, at each step anew."""

    def __init__(self, vocabulary: _Vocabulary, dropout: float) -> None:
        self._vocabulary = vocabulary
        self._log_kept = log1p(-dropout) if dropout < 1 else -inf
        self._log_left_out = log(dropout) if dropout else -inf
        symbols = sorted(vocabulary.symbols, key=len, reverse=True)
        self._symbols = frozenset(symbols)
        self._first = re.compile("|".join([*map(re.escape, symbols), "."]), re.DOTALL)
        self._known = _remembering(self._merge_all)

    def draw(self, word: str, random: Random) -> list[int]:
        stages, tokens = self._known(word)
        # Up to the first step that leaves the best merge out, all goes as without dropout.
        steps = self._successes(random)
        if steps >= len(stages) - 1:
            return tokens
        pieces = list(stages[int(steps)])
        merges = sorted(self._merges(pieces))[:-1]
        # The best merge of those that are not left out is made, until all are left out at once.
        while (left_out := self._failures(random)) < len(merges):
            _apply(merges[-1 - int(left_out)], pieces)
            merges = sorted(self._merges(pieces))
        return self._vocabulary.spell(pieces)

    def _successes(self, random: Random) -> float:
        """How many merges in a row are made before one is left out, in one number: geometrically distributed."""
        return log1p(-random.random()) // self._log_kept if self._log_kept else inf

    def _failures(self, random: Random) -> float:
        """How many are left out in a row before one is made."""
        return log1p(-random.random()) // self._log_left_out if self._log_left_out else inf

    def _merge_all(self, word: str) -> tuple[list[tuple[str, ...]], list[int]]:
        """The word's pieces before each merge that BPE makes and after the last, and these in ids."""
        pieces = self._first.findall(word)
        stages = [tuple(pieces)]
        while merges := self._merges(pieces):
            _apply(max(merges), pieces)
            stages.append(tuple(pieces))
        return stages, self._vocabulary.spell(pieces)

    def _merges(self, pieces: Sequence[str]) -> list[tuple[float, int]]:
        """What may be merged: score and, negative, the place of the left piece; the largest is merged first."""
        scores, symbols = self._vocabulary.scores, self._symbols
        return [
            (scores[left + right], -place)
            for place, (left, right) in enumerate(pairwise(pieces))
            if left + right in scores and left not in symbols and right not in symbols
        ]


def _apply(merge: tuple[float, int], pieces: list[str]) -> None:
    place = -merge[1]
    pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]


class _Lattices:
    """A unigram model's segmentations, drawn from the end to the start: forward filtering, backward sampling."""

    def __init__(self, vocabulary: _Vocabulary, smoothing: float) -> None:
        self._vocabulary, self._smoothing = vocabulary, smoothing
        scores = [score for text, score in vocabulary.scores.items() if text not in vocabulary.symbols]
        self._weights = {text: smoothing * score for text, score in vocabulary.scores.items()}
        best, worst = max(scores, default=0.0), min(scores, default=0.0)
        for text in vocabulary.symbols:  # as SentencePiece scores them: hardly ever taken apart
            self._weights[text] = smoothing * (len(text) * best - 0.1)
        self._unknown = smoothing * (worst - _UNKNOWN_PENALTY)
        self._lattice = _remembering(self._make_lattice)

    def draw(self, word: str, random: Random) -> list[int]:
        lattice, place, texts = self._lattice(word), len(word), list[str]()
        while place:
            starts, shares = lattice[place]
            start = starts[bisect(shares, random.random())] if shares else starts[0]
            texts.append(word[start:place])
            place = start
        return self._vocabulary.spell(texts[::-1])

    def _make_lattice(self, word: str) -> list[tuple[list[int], list[float]]]:
        """For each place: where pieces that end there start, and the bounds between their shares of [0, 1)."""
        weights, longest, unknown = self._weights, self._vocabulary.longest, self._unknown
        total, lattice = [0.0], [(list[int](), list[float]())]
        for end in range(1, len(word) + 1):
            arcs = [
                (start, total[start] + weights[piece])
                for start in range(max(0, end - longest), end)
                if (piece := word[start:end]) in weights
            ]
            if word[end - 1] not in weights:
                arcs.append((end - 1, total[end - 1] + unknown))
            largest = max(weight for _, weight in arcs)
            shares = [exp(weight - largest) for _, weight in arcs]
            total.append(largest + log(sum(shares)))
            bounds = [bound / sum(shares) for bound in accumulate(shares[:-1])]
            lattice.append(([start for start, _ in arcs], bounds))
        return lattice
