"""Beam search; greedy decoding is a beam of one.

Every sentence keeps `beam` live hypotheses. A step extends each by every token and ranks the
`beam x V` continuations of a sentence by their summed log-probability. Of the best 2 x beam, those that
end the sentence and rank among the first `beam` are finished; the first `beam` others live on. A finished
hypothesis of n tokens (the end token counts) scores

    log-probability / n ** length_penalty        (natural logarithm)

A sentence is done when it has `beam` finished hypotheses and no live one can still beat the worst of
them, whatever follows; a beam of one is done at its first end token.

The step itself, from logits to the next tokens, is the operation `beam_step` (kernels/mtcli_kernels): its state
lives on the device, and this module reads it only to see which sentences are done.

Axes: S slots, K beam, V vocabulary.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mtcli.errors import MtcliError
from mtcli.model.cache import DecoderCache
from mtcli.model.implementations import companion
from mtcli.model.transformer import Transformer
from mtcli_kernels.beam_step import BeamRules, BeamState, FinishedHypothesis, SlotStatus, beam_step
from mtcli_kernels.decoding_layout import BeamPlaces
from mtcli_kernels.packing import Packing

_FIRST_STEPS = 32  # the caches begin with room for so many, and double
_LOOK_EVERY = {"cuda": 4}  # steps between looks at what is done: each look waits for the device
_CROWDED = 0.9  # slots are dropped once fewer than this part of them is live: dropping copies the caches


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
    memory = network.encode(tokens, packing)
    cache = network.start(memory, packing, beam=options.beam_size, max_steps=min(_FIRST_STEPS, max(max_tokens)))
    search = _Search(network, cache, max_tokens, options)
    while search.sentences:
        search.step()
    return search.results


class _Search:
    """A batch's sentences, each in a slot of its own until it is done.

    Attributes:
        sentences: [S] which sentence each slot holds; slots whose sentences are done are dropped now and then.
        results: by sentence.
    """

    def __init__(
        self, network: Transformer, cache: DecoderCache, max_tokens: Sequence[int], options: SearchOptions
    ) -> None:
        self.network, self.cache, self.options = network, cache, options
        device, longest = network.output.weight.device, max(max_tokens)
        self.sentences = list(range(len(max_tokens)))
        self.results: list[list[Hypothesis]] = [[] for _ in max_tokens]
        self.state = BeamState.empty(len(max_tokens), options.beam_size, longest, device)
        self.state.admit(self.sentences, max_tokens, options.start_id)
        self.rules = BeamRules.of(
            eos_id=options.eos_id,
            banned=options.banned,
            vocab_size=network.vocabulary.target,
            length_penalty=options.length_penalty,
            max_steps=longest,
            device=device,
        )
        self.impl = companion(network.attention)
        self.steps = 0

    def step(self) -> None:
        """Write one more token for every live hypothesis."""
        step = min(self.steps, self.state.max_steps - 1)  # between looks, sentences that are done just wait
        self.cache.reserve(step + 1)
        places = BeamPlaces(self.state.ancestry, self.state.positions, longest=step)
        logits = self.network.step(self.state.last_tokens.flatten(), self.cache, places)
        beam_step(logits, self.state, self.rules, impl=self.impl)
        self.steps += 1
        if self.steps % _LOOK_EVERY.get(logits.device.type, 1) == 0:
            self._collect()

    def _collect(self) -> None:
        """Take the results of sentences that are done, and drop their slots once there are a few."""
        status = self.state.status.tolist()
        if SlotStatus.NOT_A_NUMBER in status:
            raise MtcliError(
                "The network's output is not a number. Its weights are damaged or too large for the number type: "
                "try --dtype float32, or copy the model again from where it was made."
            )
        live = [slot for slot, state in enumerate(status) if state == SlotStatus.LIVE]
        if live and len(live) > _CROWDED * len(status):
            return
        done = [slot for slot, state in enumerate(status) if state == SlotStatus.DONE]
        for slot, finished in zip(done, self.state.all_hypotheses(done), strict=True):
            self.results[self.sentences[slot]] = [self._hypothesis(found) for found in finished]
        self.sentences = [self.sentences[slot] for slot in live]
        if live:
            slots = torch.tensor(live, device=self.state.status.device)
            self.state = self.state.select(slots)
            self.cache.select(slots)

    def _hypothesis(self, found: FinishedHypothesis) -> Hypothesis:
        score = found.log_prob / (len(found.tokens) + 1) ** self.options.length_penalty
        return Hypothesis(found.tokens, found.log_prob, score)
