"""What is decoded: random sentences as long as newstest2014's, or a file's lines as the model's tokenizer cuts them."""

import random
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.engine import Work
from mtcli.bench.work.sentences import Words
from mtcli.bench.work.shapes import FORCED_TOKENS
from mtcli.config import DecodingConfig
from mtcli.data.tokenizer import Tokenizer
from mtcli.errors import DataError
from mtcli.files import read_lines

NEWSTEST = "newstest2014/newstest2014.en-de.en.xz"
TOKENS_A_WORD = 1.3  # of English with a joint vocabulary of 32,000
# The logarithm of newstest2014's lengths, counted as above, has this mean and this deviation.
LOG_MEAN, LOG_DEVIATION = 3.112, 0.543
LONGEST = 100


def newstest_lengths(data: Path) -> list[int]:
    """Tokens of each sentence of newstest2014, estimated from its words.

    Raises:
        DataError: DATA/newstest2014 is not there.
    """
    return [max(1, round(TOKENS_A_WORD * len(line.split()))) for line in read_lines(data / NEWSTEST)]


def like_newstest(count: int, rng: random.Random) -> list[int]:
    """Lengths drawn from the log-normal distribution that fits newstest2014's."""
    return [min(LONGEST, max(1, round(rng.lognormvariate(LOG_MEAN, LOG_DEVIATION)))) for _ in range(count)]


def random_work(data: Path | None, limit: int, words: Words, seed: int) -> tuple[Work, dict[str, Any]]:
    """`limit` sentences of random tokens, each forced to the same number of target tokens.

    Returns:
        The work, and the `sources` entry of a results file.

    Raises:
        DataError: DATA/newstest2014 is not there.
    """
    rng = random.Random(seed)
    if data is None:
        lengths, origin = like_newstest(limit, rng), "log-normal, fitted to newstest2014: words times 1.3"
    else:
        lengths, origin = newstest_lengths(data), "newstest2014, English: words times 1.3"
        lengths = rng.sample(lengths, limit) if limit < len(lengths) else lengths
    sources = [words.sentence(length, rng) for length in lengths]
    work = Work(sources=sources, limits=[FORCED_TOKENS] * len(sources), forced=True, length_penalty=1.0, lines=[])
    return work, describe(sources, origin)


def line_work(
    lines: Sequence[str], tokenizer: Tokenizer, options: DecodingConfig, *, longest_source: int, longest_output: int
) -> Work:
    """Lines as tokens, with the limits that mtcli sets; the longest are in tokens, end token included.

    Raises:
        DataError: a line is blank, or longer than the model takes at once: peers would not do the same work.
    """
    sources = [[*tokenizer.encode(line), tokenizer.eos_id] for line in lines]
    for number, source in enumerate(sources, start=1):
        if not 1 < len(source) <= longest_source:
            raise DataError(
                f"Line {number} of the source has {len(source) - 1} tokens; expected 1 to {longest_source - 1}, which "
                "the model translates as a whole. Leave it out of source and reference."
            )
    return Work(
        sources=sources,
        limits=[options.longest_output(len(source), longest_output) for source in sources],
        forced=False,
        length_penalty=options.length_penalty,
        lines=list(lines),
    )


def describe(sources: Sequence[Sequence[int]], origin: str) -> dict[str, Any]:
    """The `sources` entry of a results file; lengths in tokens, end token included."""
    lengths = [len(source) for source in sources]
    return {
        "origin": origin,
        "sentences": len(lengths),
        "median": statistics.median(lengths),
        "mean": statistics.fmean(lengths),
        "max": max(lengths),
    }
