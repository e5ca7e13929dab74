"""The whole loop: from a source sentence to its finished hypotheses. A greedy search is one with a beam of 1."""

from collections.abc import Sequence

import numpy as np

from mtcli_native.records import LIVE
from mtcli_native.reference.linear import linear
from mtcli_native.reference.network import Network, Past, decode_step, encode, project
from mtcli_native.reference.search import Rules, Search, rank_tokens, step


def translate(network: Network, source: Sequence[int], max_tokens: int, rules: Rules) -> Search:
    """Search for the translation of one sentence of token ids; returns the search when it is done.

    Args:
        max_tokens: the longest output, end token included.
    """
    memory = project(network, encode(network, source))
    search = Search(max_tokens)
    pasts: list[Past] = [()]
    while search.status == LIVE:
        newest = np.array([(rules.start, *hypothesis.tokens)[-1] for hypothesis in search.living])
        x, pasts = decode_step(network, newest, search.position, pasts, memory)
        logits = linear(network.output, x)
        step(search, [rank_tokens(row, rules) for row in logits], rules)
        pasts = [pasts[hypothesis.parent] for hypothesis in search.living]
    return search
