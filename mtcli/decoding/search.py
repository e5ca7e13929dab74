"""Beam search, and what comes of it; greedy decoding is a beam of one.

Every sentence keeps `beam` live hypotheses. A step extends each by every token and ranks the
`beam x V` continuations of a sentence by their summed log-probability. Of the best 2 x beam, those that
end the sentence and rank among the first `beam` are finished; the first `beam` others live on. A finished
hypothesis of n tokens (the end token counts) scores

    log-probability / n ** length_penalty        (natural logarithm)

A sentence is done when `beam` hypotheses are finished (or by another rule, `SearchOptions.stop`), or as soon as no live
one can still enter the `n_best` that were asked for, whatever follows.

The step itself, from logits to the next tokens, is the operation `beam_step` (kernels/mtcli_kernels); the engine
(mtcli/decoding/engines/torch.py) takes many sentences through their steps together.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

StopRule = Literal["full", "estimate", "certain"]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A finished translation.

    Attributes:
        tokens: target ids without start and end tokens.
        log_prob: summed natural-log probability of the tokens and the end token.
        score: log_prob / (number of tokens, end included) ** length_penalty.
    """

    tokens: list[int]
    log_prob: float
    score: float

    @property
    def num_tokens(self) -> int:
        """Tokens that log_prob sums over: the end token counts."""
        return len(self.tokens) + 1


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """How to search.

    Attributes:
        beam_size: live hypotheses a sentence; 1 is greedy.
        length_penalty: exponent of the length in a hypothesis's score; 0 ranks by log-probability.
        start_id, eos_id: the decoder's first input, and the token that ends a sentence.
        banned: tokens never generated; they keep their share of the probability, unless `renormalize` says otherwise.
        min_tokens: the end token may not be among so many first tokens.
        n_best: finished hypotheses that will be asked for, at most beam_size.
        stop: when a search of several hypotheses ends (`mtcli_kernels.beam_step.Stop`); greedy search ends with its
            first end token.
        free_end: the end token that the longest output is made to have costs nothing.
        renormalize: banned tokens have no share of the probability.
    """

    beam_size: int
    length_penalty: float
    start_id: int
    eos_id: int
    banned: tuple[int, ...] = ()
    min_tokens: int = 1
    n_best: int = 1
    stop: StopRule = "full"
    free_end: bool = False
    renormalize: bool = False


class Sentence(NamedTuple):
    """All that a sentence's translation depends on, beside the model and the way to search.

    Attributes:
        source: token ids, end token included, one at least.
        max_tokens: its longest output, end token included, at least 2.
    """

    source: tuple[int, ...]
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Task:
    """A sentence in work.

    Attributes:
        key: what it is known by; no two in one engine share it.
        source: token ids, end token included, one at least.
        max_tokens: its longest output, end token included, at least 2.
    """

    key: int
    source: tuple[int, ...]
    max_tokens: int
