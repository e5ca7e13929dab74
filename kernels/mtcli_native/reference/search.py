"""One step of a search: which continuations live on, which have ended, and when a sentence is done.

`mtcli_kernels.beam_step` has the same rules. Here a hypothesis holds its own tokens, and nothing refers to anything.

Axes: K beam, V vocabulary.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from mtcli_native.records import DONE, ESTIMATE, FULL, GROUP, LIVE, NOT_A_NUMBER
from mtcli_native.reference.arithmetic import (
    Float32,
    exp,
    f32,
    in_lanes,
    larger,
    log,
    max_of_lanes,
    quiet,
    sum_of_lanes,
)

NEVER = f32(-1e30)
"""The logit of what may not be written."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Rules:
    """How to search.

    Attributes:
        beam: K.
        start, eos: the decoder's first token, and the one that ends a sentence.
        length_norms: [more than the longest output] float32: n ** length_penalty.
        banned: tokens never written.
        min_tokens: the end token may not be among so many first tokens.
        n_best: finished hypotheses that are asked for.
        stop: FULL, ESTIMATE or CERTAIN.
        free_end: the end token that the longest output is made to have costs nothing.
        renormalize: banned tokens have no share of the probability.
    """

    beam: int
    start: int
    eos: int
    length_norms: Float32
    banned: tuple[int, ...] = ()
    min_tokens: int = 1
    n_best: int = 1
    stop: int = FULL
    free_end: bool = False
    renormalize: bool = False


class Ranked(NamedTuple):
    """What a step needs of a row of logits.

    Attributes:
        best: (logit, token) of the K best tokens but banned ones and the end token; of equals the lower token first.
        end_logit: the end token's.
        log_sum_exp: of all, the banned included unless the rules say otherwise.
    """

    best: list[tuple[np.float32, int]]
    end_logit: np.float32
    log_sum_exp: np.float32


class Hypothesis(NamedTuple):
    """Tokens written so far, the sum of their log-probabilities, and the place of its predecessor one step before."""

    tokens: tuple[int, ...]
    log_prob: np.float32
    parent: int = 0


class Finished(NamedTuple):
    """A hypothesis that ended: its tokens without the end token, whose log-probability counts."""

    tokens: tuple[int, ...]
    log_prob: np.float32
    score: np.float32


@dataclass
class Search:
    """The search for one sentence.

    Attributes:
        max_tokens: its longest output, end token included.
        living: best first; all have the same number of tokens.
        finished: best first, at most K.
        status: LIVE, DONE or NOT_A_NUMBER.
    """

    max_tokens: int
    living: list[Hypothesis] = field(default_factory=lambda: [Hypothesis((), f32(0))])
    finished: list[Finished] = field(default_factory=list)
    status: int = LIVE

    @property
    def position(self) -> int:
        """Tokens written so far."""
        return len(self.living[0].tokens)


class _Candidate(NamedTuple):
    """A living hypothesis and one token more."""

    total: np.float32
    place: int
    token: int


def rank_tokens(logits: Float32, rules: Rules) -> Ranked:
    """What a step needs of the logits [V] of one hypothesis."""
    allowed = np.array([token for token in range(len(logits)) if token not in (*rules.banned, rules.eos)], np.int64)
    order = allowed[np.argsort(-logits[allowed], kind="stable")]
    best = [(logits[token], int(token)) for token in order[: rules.beam] if logits[token] > NEVER]
    summed = logits.copy()
    if rules.renormalize:
        summed[[token for token in rules.banned if token != rules.eos]] = NEVER
    return Ranked(best, logits[rules.eos], log_sum_exp(summed))


@quiet
def log_sum_exp(logits: Float32) -> np.float32:
    """Logarithm of the sum of e ** logit [V]: 256 columns at a time, in which 32 lanes add up one number in 32 each."""
    greatest, total = NEVER, f32(0)
    for first in range(0, len(logits), GROUP):
        by_lane = in_lanes(logits[first : first + GROUP], filler=float(NEVER))
        if len(by_lane) % 2:  # the kernel's vocabularies are padded to a multiple of 32
            by_lane = np.concatenate([by_lane, np.full((1, 16), NEVER)])
        top = larger(max_of_lanes(_greatest(by_lane)), greatest)
        shares = exp(by_lane - top)
        sums = np.zeros((2, 16), np.float32)
        for j in range(0, len(shares), 2):
            sums = sums + shares[j : j + 2]
        total = f32(total * exp(greatest - top) + sum_of_lanes(sums[0] + sums[1]))
        greatest = f32(top)
    return np.float32(greatest + log(total))


def _greatest(by_lane: Float32) -> Float32:
    """[16]: each lane's greatest; of even vectors and of odd ones, then of both."""
    even, odd = by_lane[0], by_lane[1]
    for j in range(2, len(by_lane), 2):
        even, odd = larger(by_lane[j], even), larger(by_lane[j + 1], odd)
    return larger(even, odd)


def step(search: Search, ranked: Sequence[Ranked], rules: Rules) -> None:
    """Take a search one token on: of the best 2K candidates, the first K that do not end live on, and of the first K
    those that end are finished.

    Args:
        ranked: of each hypothesis that lives.
    """
    if not all(np.isfinite(row.log_sum_exp) for row in ranked):
        search.status = NOT_A_NUMBER
        return
    candidates = sorted(_candidates(search, ranked, rules), key=lambda candidate: -candidate.total)  # stable
    candidates = candidates[: 2 * rules.beam]
    steps = search.position + 1
    for total, place, token in candidates[: rules.beam]:
        if token == rules.eos:
            score = f32(total / rules.length_norms[steps])
            search.finished.append(Finished(search.living[place].tokens, total, score))
    search.finished.sort(key=lambda hypothesis: -hypothesis.score)  # stable: of equals the earlier stays ahead
    del search.finished[rules.beam :]
    living = [
        Hypothesis((*search.living[place].tokens, token), total, place)
        for total, place, token in candidates
        if token != rules.eos
    ][: rules.beam]
    if _is_done(search, living, steps, rules):
        search.status = DONE
    else:
        search.living = living


def _candidates(search: Search, ranked: Sequence[Ranked], rules: Rules) -> Iterator[_Candidate]:
    """What may be written now: place after place, each place's greatest logit first, of equals the lower token."""
    must_end, may_end = search.position + 1 >= search.max_tokens, search.position >= rules.min_tokens
    for place, (hypothesis, row) in enumerate(zip(search.living, ranked, strict=True)):
        tokens = [] if must_end else list(row.best)
        if may_end:
            tokens.append((row.end_logit, rules.eos))
        for logit, token in sorted(tokens, key=lambda each: (-each[0], each[1])):
            total = f32(f32(logit - row.log_sum_exp) + hypothesis.log_prob)
            if must_end and rules.free_end:
                total = hypothesis.log_prob
            if total > -np.inf:
                yield _Candidate(total, place, token)


def _is_done(search: Search, living: Sequence[Hypothesis], steps: int, rules: Rules) -> bool:
    if not living:
        return True
    best, finished = living[0].log_prob, search.finished
    if len(finished) == rules.beam:
        if rules.stop == FULL:
            return True
        if rules.stop == ESTIMATE and finished[-1].score >= f32(best / rules.length_norms[steps]):
            return True
    # Log-probabilities only fall, so that the longest output is the kindest denominator
    bound = f32(best / rules.length_norms[search.max_tokens])
    return len(finished) >= rules.n_best and bool(finished[rules.n_best - 1].score >= bound)
