"""Small made-up English: enough text to train a tokenizer on in a fraction of a second."""

import random
from functools import cache

from mtcli.data.tokenizer import Tokenizer, train_tokenizer

_WORDS = [
    "the",
    "a",
    "cat",
    "dog",
    "house",
    "street",
    "goes",
    "sees",
    "finds",
    "big",
    "small",
    "red",
    "blue",
    "green",
    "man",
    "woman",
    "tree",
    "walks",
    "runs",
    "sleeps",
    "and",
    "then",
    "over",
    "under",
    "behind",
    "quickly",
    "slowly",
    "never",
    "always",
]


def sentences(count: int, seed: int) -> list[str]:
    """Distinct sentences of three to twelve words."""
    rng = random.Random(seed)
    made: dict[str, None] = {}
    while len(made) < count:
        made[" ".join(rng.choices(_WORDS, k=rng.randint(3, 12))).capitalize() + "."] = None
    return list(made)


@cache
def small_tokenizer() -> Tokenizer:
    """A tokenizer of 320 pieces, 256 of them bytes."""
    return train_tokenizer(sentences(400, seed=1), vocab_size=320)[0]
