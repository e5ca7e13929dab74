"""Sentence pairs as the model reads them: the tokens of both sides, one sentence behind the other."""

from dataclasses import dataclass
from itertools import chain
from random import Random
from typing import Protocol

import numpy as np

from mtcli.data.arrays import IntArray, TokenArray
from mtcli.data.segmentation import Sampler


@dataclass(frozen=True)
class PairTokens:
    """B sentence pairs, N_src source and N_tgt target tokens; every sentence ends with its end token. All int64.

    Attributes:
        src: [N_src]; src_lengths: [B] tokens of each source.
        tgt: [N_tgt]; tgt_lengths: [B] tokens of each target.
    """

    src: IntArray
    src_lengths: IntArray
    tgt: IntArray
    tgt_lengths: IntArray


class Pairs(Protocol):
    """A corpus that batches are made of."""

    def gather(self, indices: IntArray, seed: int) -> PairTokens:
        """The pairs at these places, [B]; where tokens are drawn, each pair's follow from (seed, its index) alone."""


@dataclass(frozen=True)
class ParallelArrays:
    """A tokenised corpus: sentence i of both sides, each ended by its end-of-sentence token."""

    src: TokenArray
    tgt: TokenArray

    def gather(self, indices: IntArray, seed: int) -> PairTokens:
        """The pairs at these places, [B], always in the same tokens: the seed changes nothing."""
        return PairTokens(*self.src.gather(indices), *self.tgt.gather(indices))


class SampledPairs:
    """A corpus whose sentences are cut into tokens at random, whenever they come up."""

    def __init__(
        self,
        arrays: ParallelArrays,
        texts: ParallelArrays,
        samplers: tuple[Sampler, Sampler],
        end_ids: tuple[int, int],
        max_length: int,
    ) -> None:
        """Set up for one corpus.

        Args:
            arrays: its tokens without chance.
            texts: its text as UTF-8, a byte a token.
            samplers, end_ids: of the source and the target side.
            max_length: tokens a side, the end token included: a sentence that chance makes longer keeps the tokens
                it has without.
        """
        self._sides = tuple(
            zip((arrays.src, arrays.tgt), (texts.src, texts.tgt), samplers, end_ids, strict=True),
        )
        self._max_length = max_length

    def gather(self, indices: IntArray, seed: int) -> PairTokens:
        """The pairs at these places, [B]; each one's tokens follow from (seed, its index) alone."""
        src, tgt = (self._gather_side(side, indices, seed) for side in range(2))
        return PairTokens(*src, *tgt)

    def _gather_side(self, side: int, indices: IntArray, seed: int) -> tuple[IntArray, IntArray]:
        arrays, texts, sampler, end_id = self._sides[side]
        random, sentences = Random(), []
        for index in map(int, indices):
            random.seed(((seed << 33) | index) << 1 | side)
            text = texts.stored(index).tobytes().decode("utf-8")
            tokens = [*sampler.sample(text, random), end_id]
            sentences.append(tokens if len(tokens) <= self._max_length else arrays.stored(index).tolist())
        lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
        return np.array(list(chain.from_iterable(sentences)), np.int64), lengths
