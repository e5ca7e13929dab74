"""Keys are a token's own: they follow from its sentence's place in the corpus and its place in the sentence."""

import numpy as np

from mtcli.training.keys import mixed, token_keys


def test_splitmix64_gives_the_published_numbers() -> None:
    """The first outputs for the seed 1234567 (https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64)."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    words = np.uint64(1234567) + np.arange(3, dtype=np.uint64) * golden
    assert mixed(words).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_a_sentence_brings_its_keys_along() -> None:
    together = np.split(token_keys(np.array([5, 0, 9]), np.array([3, 1, 4]), 0), [3, 4])
    assert token_keys(np.array([9]), np.array([4]), 0).tolist() == together[2].tolist()
    assert token_keys(np.array([0, 5]), np.array([1, 3]), 0).tolist() == [*together[1], *together[0]]


def test_no_two_tokens_have_the_same() -> None:
    found = [token_keys(np.arange(1000), np.full(1000, 30), side) for side in (0, 1)]
    assert len(set(np.concatenate(found).tolist())) == 60_000
