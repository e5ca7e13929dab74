"""The whole loop: from a source sentence to its finished hypotheses, or to the probability of a given translation.

A greedy search is one with a beam of 1.
"""

from collections.abc import Sequence

import numpy as np

from mtcli_native.records import LIVE
from mtcli_native.reference.arithmetic import Float32
from mtcli_native.reference.linear import linear
from mtcli_native.reference.network import Network, Past, decode_step, encode, project
from mtcli_native.reference.search import Rules, Search, log_sum_exp, rank_tokens, step


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


def force(
    network: Network, source: Sequence[int], inputs: Sequence[int], targets: Sequence[int]
) -> tuple[Float32, Float32]:
    """The log-probability of each target token [M], and how much it looks at the source [layers, M, S].

    Args:
        inputs: what the decoder reads, [M].
        targets: what it is to write then, [M].
    """
    memory = project(network, encode(network, source))
    pasts: list[Past] = [()]
    log_probs, weights = [], []
    for position, (token, target) in enumerate(zip(inputs, targets, strict=True)):
        looks: list[Float32] = []
        x, pasts = decode_step(network, np.array([token]), position, pasts, memory, looks)
        (logits,) = linear(network.output, x)
        log_probs.append(logits[target] - log_sum_exp(logits))
        weights.append([row for (row,) in looks])
    return np.array(log_probs), np.array(weights).swapaxes(0, 1)
