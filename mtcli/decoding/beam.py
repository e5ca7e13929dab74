"""Beam search; greedy decoding is a beam of one.

Every sentence keeps `beam` live hypotheses. A step extends each by every token and ranks the
`beam x V` continuations of a sentence by their summed log-probability. Of the best 2 x beam, those that
end the sentence and rank among the first `beam` are finished; the first `beam` others live on. A finished
hypothesis of n tokens (the end token counts) scores

    log-probability / n ** length_penalty        (natural logarithm)

A sentence is done when it has `beam` finished hypotheses and no live one can still beat the worst of
them, whatever follows; a beam of one is done at its first end token.

Axes: B sentences, K beam, R = B x K rows, V vocabulary.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mtcli.errors import MtcliError
from mtcli.model.cache import DecoderCache
from mtcli.model.transformer import Transformer
from mtcli_kernels.packing import Packing


@dataclass(frozen=True)
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
        banned: tokens never generated; they keep their share of the probability.
    """

    beam_size: int
    length_penalty: float
    start_id: int
    eos_id: int
    banned: tuple[int, ...] = ()


@dataclass
class _Sentence:
    """The search's record of one sentence."""

    index: int
    max_tokens: int
    finished: list[Hypothesis] = field(default_factory=list)

    def worst(self) -> float:
        return min(hypothesis.score for hypothesis in self.finished)

    def add(self, hypothesis: Hypothesis, beam: int) -> None:
        """Keep the best `beam`; of equal scores, the earlier."""
        self.finished.append(hypothesis)
        if len(self.finished) > beam:
            self.finished.remove(min(reversed(self.finished), key=lambda h: h.score))


@torch.inference_mode()
def beam_search(
    network: Transformer,
    sources: Sequence[Sequence[int]],
    max_tokens: Sequence[int],
    options: SearchOptions,
) -> list[list[Hypothesis]]:
    """Translate a batch of sentences.

    Args:
        network: in evaluation mode.
        sources: token ids of each sentence, its end token included; none may be empty.
        max_tokens: the longest output of each sentence in tokens, end token included, at least 2.
        options: how to search.

    Returns:
        For each sentence its finished hypotheses, at most `beam_size`, the best score first.

    Raises:
        MtcliError: the network's output is not a number.
    """
    device = network.output.weight.device
    packing = Packing.of([len(source) for source in sources], device)
    tokens = torch.tensor([token for source in sources for token in source], device=device)
    cache = network.start(network.encode(tokens, packing), packing)
    search = _Search(network, cache, max_tokens, options, device)
    while search.live:
        search.step()
    return search.results


class _Search:
    """The live sentences of a batch and their hypotheses."""

    def __init__(
        self,
        network: Transformer,
        cache: DecoderCache,
        max_tokens: Sequence[int],
        options: SearchOptions,
        device: torch.device,
    ) -> None:
        self.network, self.cache, self.options, self.beam = network, cache, options, options.beam_size
        self.live = [_Sentence(index, limit) for index, limit in enumerate(max_tokens)]
        self.results: list[list[Hypothesis]] = [[] for _ in max_tokens]
        rows = len(self.live) * self.beam
        self.last = torch.full((rows,), options.start_id, device=device)
        # All rows of a sentence start equal: only the first may be extended at the first step.
        self.log_probs = torch.full((len(self.live), self.beam), float("-inf"), device=device)
        self.log_probs[:, 0] = 0.0
        self.history = torch.empty((rows, 0), dtype=torch.int64, device=device)
        self.banned = torch.tensor(options.banned, dtype=torch.int64, device=device)
        self.banned_at_first = torch.tensor([*options.banned, options.eos_id], device=device)

    def step(self) -> None:
        """Write one more token for every live hypothesis."""
        scores, tokens, parents = self._candidates()
        self._extend(*self._sort_out(scores, tokens, parents))

    def _candidates(self) -> tuple[Tensor, Tensor, Tensor]:
        """The 2K best continuations of each sentence, best first: log-probability, token, parent, each [B, 2K]."""
        step = self.cache.step
        logits = self.network.step(self.last, self.cache).float()  # [R, V]
        normaliser = logits.logsumexp(1, keepdim=True)
        logits.index_fill_(1, self.banned if step else self.banned_at_first, float("-inf"))
        self._end_the_overlong(logits, step)
        width = min(2 * self.beam, logits.shape[1])
        best, tokens = logits.topk(width, dim=1)
        totals = (best - normaliser).view(-1, self.beam, width) + self.log_probs[:, :, None]
        scores, places = totals.flatten(1).topk(min(2 * self.beam, self.beam * width), dim=1)
        tokens = tokens.view(-1, self.beam * width).gather(1, places)
        return scores, tokens, places // width

    def _end_the_overlong(self, logits: Tensor, step: int) -> None:
        """Leave sentences that have room for one more token nothing but the end token."""
        full = [place for place, sentence in enumerate(self.live) if step + 1 >= sentence.max_tokens]
        if full:
            eos = self.options.eos_id
            rows = logits.view(-1, self.beam, logits.shape[1])
            places = torch.tensor(full, device=logits.device)
            ending = torch.full_like(rows[places], float("-inf"))
            ending[:, :, eos] = rows[places][:, :, eos]
            rows[places] = ending

    def _sort_out(self, scores: Tensor, tokens: Tensor, parents: Tensor) -> tuple[list[int], Tensor, Tensor, Tensor]:
        """Finish hypotheses and sentences; return the places of the sentences that go on, and their K survivors."""
        ends = tokens == self.options.eos_id
        keep = ends.to(torch.int8).argsort(dim=1, stable=True)[:, : self.beam]  # the first K that do not end
        going_on = []
        score_rows, end_rows, parent_rows = scores.tolist(), ends.tolist(), parents.tolist()
        best_live = scores.gather(1, keep)[:, 0].tolist()
        if any(map(math.isnan, best_live)):  # else the search would never end
            raise MtcliError(
                "The network's output is not a number. Its weights are damaged or too large for the number type: "
                "try --dtype float32, or copy the model again from where it was made."
            )
        for place, sentence in enumerate(self.live):
            for rank in range(self.beam):
                if end_rows[place][rank] and score_rows[place][rank] > float("-inf"):
                    self._finish(sentence, place, parent_rows[place][rank], score_rows[place][rank])
            if self._is_done(sentence, best_live[place]):
                self.results[sentence.index] = sorted(sentence.finished, key=lambda h: -h.score)
            else:
                going_on.append(place)
        return going_on, scores.gather(1, keep), tokens.gather(1, keep), parents.gather(1, keep)

    def _finish(self, sentence: _Sentence, place: int, parent: int, log_prob: float) -> None:
        history = self.history[place * self.beam + parent].tolist()
        score = log_prob / (len(history) + 1) ** self.options.length_penalty
        sentence.add(Hypothesis(history, log_prob, score), self.beam)

    def _is_done(self, sentence: _Sentence, best_live: float) -> bool:
        if best_live == float("-inf"):  # every live hypothesis was made to end
            return True
        if len(sentence.finished) < self.beam:
            return False
        # Log-probabilities only fall, so the longest output is the kindest denominator.
        return self.beam == 1 or sentence.worst() >= best_live / sentence.max_tokens**self.options.length_penalty

    def _extend(self, going_on: list[int], scores: Tensor, tokens: Tensor, parents: Tensor) -> None:
        """Make the survivors the live hypotheses, in the sentences that go on."""
        all_go_on = len(going_on) == len(self.live)
        places = torch.tensor(going_on, dtype=torch.int64, device=self.last.device)
        if not all_go_on:
            self.live = [self.live[place] for place in going_on]
            scores, tokens, parents = scores[places], tokens[places], parents[places]
            self.cache.select_sentences(places)
        rows = (places[:, None] * self.beam + parents).flatten()
        if self.beam > 1 or not all_go_on:
            self.cache.select_rows(rows)
        self.last, self.log_probs = tokens.flatten(), scores
        self.history = torch.cat([self.history[rows], self.last[:, None]], dim=1)
