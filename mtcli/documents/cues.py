"""A translation of several segments at once, such as a sentence over two subtitles, split among them again.

Cuts lie between words: where the fewest words land in another segment than the word they belong to, and where the
segments' shares of the text stay as they were.
"""

from collections.abc import Sequence
from itertools import pairwise

from mtcli.documents.asking import Link

_OFF = 3.0  # what a share of the text that is off by all of it costs, in words that land elsewhere


def cuts(lengths: Sequence[int], words: Sequence[str], links: Sequence[Link]) -> list[int] | None:
    """Find where a translation is cut.

    Args:
        lengths: source words of each segment; none is 0.
        words: the translation's.
        links: which source word, counted over all segments, each of them belongs to.

    Returns:
        For each segment the number of the word that ends it; None where there are fewer words than segments.
    """
    if len(words) < len(lengths):
        return None
    owner = _owners(lengths, len(words), links)
    total, sizes = sum(map(len, words)), [0]
    for word in words:
        sizes.append(sizes[-1] + len(word))
    ends = [sum(lengths[: number + 1]) / sum(lengths) for number in range(len(lengths))]
    best: dict[int, tuple[float, list[int]]] = {0: (0.0, [])}
    for number, share in enumerate(ends):
        left = len(lengths) - number - 1
        found: dict[int, tuple[float, list[int]]] = {}
        for start, (cost, path) in best.items():
            strangers = 0
            for end in range(start + 1, len(words) - left + 1):
                strangers += owner[end - 1] != number
                if not left and end < len(words):
                    continue
                price = cost + strangers + _OFF * len(words) * abs(sizes[end] / total - share) / len(lengths)
                if end not in found or price < found[end][0]:
                    found[end] = (price, [*path, end])
        best = found
    return best[len(words)][1]


def _owners(lengths: Sequence[int], num_words: int, links: Sequence[Link]) -> list[int]:
    """The segment that each target word belongs to; one without a link goes with the one before it."""
    bounds = [0]
    for length in lengths:
        bounds.append(bounds[-1] + length)
    by_target = {tgt: src for src, tgt in links}
    owners: list[int] = []
    for word in range(num_words):
        src = by_target.get(word)
        own = next((place for place, (a, b) in enumerate(pairwise(bounds)) if src is not None and a <= src < b), None)
        owners.append(own if own is not None else owners[-1] if owners else 0)
    return owners
