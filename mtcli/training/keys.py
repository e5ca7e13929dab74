"""Random-looking numbers that belong to a token of the corpus, for dropout (mtcli/model/dropout.py)."""

import numpy as np

from mtcli.data.arrays import IntArray

# splitmix64 (Steele et al. 2014, doi:10.1145/2660193.2660195)
_GOLDEN, _FIRST, _SECOND = (np.uint64(c) for c in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def mixed(words: "np.ndarray[tuple[int], np.dtype[np.uint64]]") -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    """splitmix64 of each word: neighbours become unlike each other."""
    z = words + _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


def token_keys(indices: IntArray, lengths: IntArray, side: int) -> IntArray:
    """[N] int64: one for each token of the packed sentences.

    Args:
        indices: [B] each sentence's place in the corpus.
        lengths: [B] tokens; N is their sum.
        side: 0 for the source, 1 for the target.
    """
    sentences = mixed(indices.astype(np.uint64) * np.uint64(2) + np.uint64(side))
    places = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return mixed(np.repeat(sentences, lengths) + places.astype(np.uint64)).view(np.int64)
