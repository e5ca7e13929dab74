"""Greedy and beam search as a user of PyTorch writes them for the stock Transformer.

Sentences of a batch go through their steps together, padded, until the last of them is done. The encoder runs once, and
so does the projection of its output into each decoder layer's keys and values; those of the target grow with each step.

Axes: B sentences, S source tokens, V vocabulary.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmarks.peers.engine import until
from benchmarks.peers.stock import StockTransformer

NEVER = float("-inf")


@dataclass(frozen=True, kw_only=True)
class Sentences:
    """A batch to decode.

    Attributes:
        src: [B, S] int64, padded; src_mask: [B, S] bool, true for tokens.
        limits: [B] int64, the longest outputs in tokens, end token included.
    """

    src: Tensor
    src_mask: Tensor
    limits: Tensor


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What may be written, and which hypothesis is the best.

    Attributes:
        start, eos: the decoder's first input, and the token that ends a sentence.
        banned: [V] bool, true for tokens that are never written.
        forced: a sentence ends at its limit and not before.
        length_penalty: exponent of the length that a log-probability is divided by.
    """

    start: int
    eos: int
    banned: Tensor
    forced: bool
    length_penalty: float

    def apply(self, scores: Tensor, step: int, limits: Tensor) -> None:
        """Take away, in scores [B, ..., V], what the sentences may not write in this step."""
        scores.masked_fill_(self.banned, NEVER)
        earliest = limits - 1 if self.forced else torch.ones_like(limits)
        scores[earliest > step, ..., self.eos] = NEVER
        ending = limits == step + 1
        kept = scores[ending, ..., self.eos]
        scores[ending] = NEVER
        scores[ending, ..., self.eos] = kept


class Halves:
    """The network's `encode` and `step` as a search calls them.

    Args:
        network: what decodes.
        backend: torch.compile's, which compiles for all sizes at once; None runs the halves as they are.
    """

    def __init__(self, network: StockTransformer, backend: str | None = None) -> None:
        self.encode = _compiled(network.encode, backend) if backend else network.encode
        self.step = _compiled(network.step, backend) if backend else network.step


def _compiled(function: Callable[..., Any], backend: str) -> Callable[..., Any]:
    # Sizes that happen to be equal, as batch and head size, would count as one, and a change of it compile anew.
    torch.fx.experimental._config.use_duck_shape = False
    # Sizes of 0 and 1 and what is None are compiled apart: greedily and not, a dozen times. Above that it is an error.
    torch._dynamo.config.recompile_limit = 16
    return torch.compile(function, backend=backend, dynamic=True, fullgraph=True)


def greedy(halves: Halves, batch: Sentences, rules: Rules) -> list[list[int]]:
    """The tokens of each sentence, without the end token."""
    memory, size = halves.encode(batch.src, batch.src_mask), len(batch.src)
    tokens, past = batch.src.new_full((size,), rules.start), None
    written, done = tokens.new_empty(size, 0), tokens.new_zeros(size, dtype=torch.bool)
    for step in range(int(batch.limits.max())):
        logits, past = halves.step(tokens, past, None, memory, batch.src_mask)
        rules.apply(logits, step, batch.limits)
        tokens = logits.argmax(-1)
        written = torch.cat([written, tokens[:, None]], dim=1)
        done |= tokens == rules.eos
        if done.all():
            break
    return [until(rules.eos, row) for row in written.tolist()]


def beam_search(halves: Halves, batch: Sentences, rules: Rules, beam: int) -> list[list[int]]:
    """The tokens of each sentence's best hypothesis, without the end token.

    Of the best 2 x beam continuations of a sentence, those that end it are finished if they are among the first `beam`,
    and the first `beam` others live on, until as many are finished.
    """
    memory, size = halves.encode(batch.src, batch.src_mask), len(batch.src)
    first_rows = torch.arange(size, device=batch.src.device)[:, None] * beam
    tokens, past, parents = batch.src.new_full((size * beam,), rules.start), None, None
    written = tokens.new_empty(size * beam, 0)
    totals = torch.full((size, beam), NEVER, device=tokens.device)
    totals[:, 0] = 0.0  # the hypotheses are all alike yet
    best, outputs = totals.new_full((size,), NEVER), tokens.new_full((size, int(batch.limits.max())), rules.eos)
    finished, done = tokens.new_zeros(size), tokens.new_zeros(size, dtype=torch.bool)
    for step in range(outputs.shape[1]):
        logits, past = halves.step(tokens, past, parents, memory, batch.src_mask)
        scores = logits.float().log_softmax(-1).view(size, beam, -1)
        rules.apply(scores, step, batch.limits)
        scores += totals[:, :, None]
        top, places = scores.flatten(1).topk(2 * beam)
        rows, found = first_rows + places // scores.shape[2], places % scores.shape[2]
        ends = found == rules.eos

        ending = (ends & (top > NEVER))[:, :beam] & ~done[:, None]
        values = torch.where(ending, top[:, :beam] / (step + 1) ** rules.length_penalty, NEVER)
        value, place = values.max(1)
        better = value > best
        best = torch.where(better, value, best)
        outputs[better, :step] = written[rows[better, place[better]]]
        finished += ending.sum(1)
        done |= (finished >= beam) | (batch.limits == step + 1)
        if done.all():
            break

        totals, place = top.masked_fill(ends, NEVER).topk(beam)
        parents, tokens = rows.gather(1, place).flatten(), found.gather(1, place).flatten()
        written = torch.cat([written[parents], tokens[:, None]], dim=1)
    return [until(rules.eos, row) for row in outputs.tolist()]
