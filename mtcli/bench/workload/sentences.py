"""What is decoded and trained on: random tokens in sentences as long as news, or the lines of a file."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from mtcli.bench.workload.shapes import FORCED_TOKENS, LONGEST, news_lengths, news_sentences, translated_lengths
from mtcli.config import DecodingConfig
from mtcli.data.arrays import IntArray
from mtcli.data.batching import TokenBatches
from mtcli.data.pairs import PairTokens
from mtcli.data.tokenizer import BOS_ID, EOS_ID, PAD_ID, UNK_ID, Tokenizer
from mtcli.decoding.lines import is_invisible, split_line
from mtcli.errors import DataError
from mtcli.training.batch import Batch, make_batch


@dataclass(frozen=True, kw_only=True)
class Words:
    """What random sentences are made of.

    Attributes:
        ids: tokens that stand for text.
        eos_id: the token that ends a sentence.
    """

    ids: Sequence[int]
    eos_id: int

    @classmethod
    def of(cls, vocab_size: int) -> "Words":
        """Of a vocabulary that mtcli makes, which has its special tokens first."""
        return cls(ids=range(max(UNK_ID, BOS_ID, EOS_ID, PAD_ID) + 1, vocab_size), eos_id=EOS_ID)

    @classmethod
    def known_to(cls, tokenizer: Tokenizer) -> "Words":
        special = {tokenizer.eos_id, tokenizer.pad_id, *tokenizer.never_generated}
        return cls(ids=[one for one in range(tokenizer.vocab_size) if one not in special], eos_id=tokenizer.eos_id)

    def sentence(self, count: int, rng: random.Random) -> list[int]:
        """So many at random, and the end token."""
        return [*(rng.choice(self.ids) for _ in range(count)), self.eos_id]


@dataclass(frozen=True, kw_only=True)
class SourceSentences:
    """Sentences to decode.

    Attributes:
        sources: token ids, end token included.
        limits: the longest output of each, in tokens, end token included.
        forced: every output is to have just as many tokens.
    """

    sources: Sequence[Sequence[int]]
    limits: Sequence[int]
    forced: bool

    def first(self, count: int) -> "SourceSentences":
        """So many, from the first again where there are fewer."""
        return self._at([place % len(self.sources) for place in range(count)])

    def limited(self, steps: int) -> "SourceSentences":
        """The same with outputs of so many tokens at most, where they are forced."""
        limits = [min(limit, steps) for limit in self.limits] if self.forced else self.limits
        return replace(self, limits=limits)

    def alone(self, place: int) -> "SourceSentences":
        return self._at([place])

    def _at(self, places: Sequence[int]) -> "SourceSentences":
        return replace(self, sources=[self.sources[i] for i in places], limits=[self.limits[i] for i in places])


def random_sentences(
    count: int, words: Words, seed: int, *, longest_source: int, longest_output: int
) -> SourceSentences:
    """As long as news, each forced to the same number of target tokens; bounds in tokens, end tokens included."""
    rng = random.Random(seed)
    lengths = news_sentences(count, seed, min(LONGEST, longest_source - 1))
    forced = min(FORCED_TOKENS, longest_output)
    return SourceSentences(sources=[words.sentence(one, rng) for one in lengths], limits=[forced] * count, forced=True)


def sentences_of(
    lines: Sequence[str], tokenizer: Tokenizer, options: DecodingConfig, *, longest_source: int, longest_output: int
) -> SourceSentences:
    """What mtcli decodes of these lines, and how long it lets outputs be: parts of over-long lines, equal ones once.

    Raises:
        DataError: there is nothing to translate.
    """
    visible = (line for line in lines if not is_invisible(line))
    parts = [part for line in visible for part in split_line(line, tokenizer, longest_source - 1)]
    sources = list(dict.fromkeys((*part.tokens, tokenizer.eos_id) for part in parts))
    if not sources:
        raise DataError("The input has no line with text. Expected lines to translate.")
    limits = [options.longest_output(len(source), longest_output) for source in sources]
    return SourceSentences(sources=sources, limits=limits, forced=False)


@dataclass(frozen=True, kw_only=True)
class PairBatch:
    """Sentence pairs that are trained on together; a corpus of that one batch, too (`mtcli.data.pairs.Pairs`).

    Attributes:
        sources, targets: token ids, end tokens included.
    """

    sources: list[list[int]]
    targets: list[list[int]]

    @property
    def src_lengths(self) -> list[int]:
        return [len(source) for source in self.sources]

    @property
    def tgt_lengths(self) -> list[int]:
        return [len(target) for target in self.targets]

    def gather(self, indices: IntArray, seed: int) -> PairTokens:
        """The pairs at these places, always in the same tokens."""
        src, tgt = ([side[place] for place in indices] for side in (self.sources, self.targets))
        return PairTokens(np.concatenate(src), _lengths(src), np.concatenate(tgt), _lengths(tgt))

    def on_device(self, start_id: int, device: torch.device) -> Batch:
        """The batch as the network takes it; `start_id` is what the decoder reads first."""
        return make_batch(self, np.arange(len(self.targets)), start_id, device)


def _lengths(sentences: list[list[int]]) -> IntArray:
    return np.array([len(sentence) for sentence in sentences], dtype=np.int64)


def random_batches(
    src: Words, tgt: Words, *, tokens: int, count: int, seed: int, longest: int = LONGEST + 1
) -> list[PairBatch]:
    """So many batches of pairs as long as news, of like lengths within each, as mtcli makes them.

    Args:
        src, tgt: what either side is made of.
        tokens: of a batch, on its longer side, end tokens included, at most.
        count: batches.
        seed: of lengths and tokens.
        longest: tokens of a sentence, end token included.
    """
    # Twice as many tokens: batches are of the longer side, and vary
    lengths = news_lengths(2 * tokens * count, seed, longest=longest - 1)
    others = translated_lengths(lengths, seed, longest=longest - 1)
    src_lengths, tgt_lengths = (np.array(side) + 1 for side in (lengths, others))
    rng = random.Random(seed)

    def sentences(words: Words, side: IntArray, places: IntArray) -> list[list[int]]:
        return [words.sentence(int(side[place]) - 1, rng) for place in places]

    return [
        PairBatch(sources=sentences(src, src_lengths, places), targets=sentences(tgt, tgt_lengths, places))
        for places in TokenBatches(src_lengths, tgt_lengths, tokens, seed).epoch(0)[:count]
    ]
