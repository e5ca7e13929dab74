"""What is trained on: random sentence pairs as long as news, in batches of like lengths, as mtcli makes them."""

import random

import numpy as np
from peers.training import Pairs

from mtcli.bench.shapes import news_lengths, translated_lengths
from mtcli.data.batching import TokenBatches
from mtcli.data.tokenizer import EOS_ID, PAD_ID


def random_batches(*, tokens: int, count: int, vocab_size: int, seed: int) -> list[Pairs]:
    """So many batches of about so many tokens on the longer side, end tokens included."""
    lengths = news_lengths(2 * tokens * count, seed)  # twice as many: batches are of the longer side, and vary
    src, tgt = (np.array(side) + 1 for side in (lengths, translated_lengths(lengths, seed)))
    rng, first = random.Random(seed), max(EOS_ID, PAD_ID) + 1

    def sentence(length: int) -> list[int]:
        return [*(rng.randrange(first, vocab_size) for _ in range(length - 1)), EOS_ID]

    return [
        Pairs(
            sources=[sentence(int(src[place])) for place in places],
            targets=[sentence(int(tgt[place])) for place in places],
        )
        for places in TokenBatches(src, tgt, tokens, seed).epoch(0)[:count]
    ]
