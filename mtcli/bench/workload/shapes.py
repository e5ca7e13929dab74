"""The sizes that are measured: those of the Transformers that mtcli trains, and lengths as news has them."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice

MEAN_LENGTH = 27.0  # tokens of a sentence of news, in subwords
SPREAD = 0.55  # standard deviation over mean
LONGEST = 128
FORCED_TOKENS = 27  # of each output, where all are to be as long: about newstest2014's mean, end token included


@dataclass(frozen=True)
class Heads:
    """A model's attention."""

    model: str
    heads: int
    head_dim: int


BASE = Heads("base", 8, 64)
BIG = Heads("big", 16, 64)
WIDE = Heads("base, heads of 128", 4, 128)
TOY = Heads("toy", 2, 16)


def news_lengths(tokens: int, seed: int, mean: float = MEAN_LENGTH, longest: int = LONGEST) -> list[int]:
    """Lengths of sentences that sum to `tokens`: log-normal around the mean, cut to 1..longest."""
    return _summing_to(tokens, _lengths(seed, mean, longest))


def _summing_to(tokens: int, endless: Iterator[int]) -> list[int]:
    lengths: list[int] = []
    while tokens > 0:
        lengths.append(min(next(endless), tokens))
        tokens -= lengths[-1]
    return lengths


def news_sentences(number: int, seed: int, longest: int = LONGEST) -> list[int]:
    """Lengths of so many sentences, drawn as `news_lengths` draws them."""
    return list(islice(_lengths(seed, MEAN_LENGTH, longest), number))


def _lengths(seed: int, mean: float, longest: int) -> Iterator[int]:
    draw = random.Random(seed)
    variance = math.log1p(SPREAD**2)
    middle = math.log(mean) - variance / 2
    while True:
        yield min(max(round(draw.lognormvariate(middle, math.sqrt(variance))), 1), longest)


def bucketed_lengths(tokens: int, seed: int, mean: float = MEAN_LENGTH, spread: int = 3) -> list[int]:
    """Lengths that sum to `tokens`, all close to the mean: what sorting a corpus by length before batching gives."""
    draw = random.Random(seed)
    return _summing_to(tokens, (max(round(mean) + draw.randint(-spread, spread), 1) for _ in count()))


def translated_lengths(lengths: list[int], seed: int, longest: int = LONGEST) -> list[int]:
    """Lengths of the other side of these sentences: a fifth shorter or longer."""
    draw = random.Random(seed)
    return [min(max(round(length * draw.lognormvariate(0.0, 0.2)), 1), longest) for length in lengths]


def region_lengths(slots: int, longest: int, seed: int) -> list[int]:
    """Lengths of the sources in slots whose regions have room for `longest`: from half of it up, one at least full."""
    draw = random.Random(seed)
    return [longest, *(draw.randint((longest + 1) // 2, longest) for _ in range(slots - 1))]
