"""Is what is timed right? Asked of every beam before its first figure.

- The same tokens and log-probabilities, to the last bit, alone and in company.
- The log-probabilities are those that one pass in float32 with the plainest attention gives the tokens found.
- On a GPU: the same tokens with CUDA graphs and without.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from mtcli.bench.measuring.contest import first_lines, raise_if_broken
from mtcli.bench.records.record import Check
from mtcli.bench.work.sentences import Sentences
from mtcli.bench.work.subject import Subject
from mtcli.decoding.engines.torch import Engines
from mtcli.decoding.pool import EnginePool
from mtcli.decoding.scoring import score_targets
from mtcli.decoding.search import Hypothesis, SearchOptions
from mtcli.devices import dtype_name
from mtcli.errors import MtcliError
from mtcli.model.transformer import Transformer

ALONE, COMPANY = 2, 4  # sentences decoded one by one, and together
STEPS = 12  # of each, where outputs are forced
# Nats a token: what rounding makes of a log-probability, with room; a wrong mask makes many times as much.
LARGEST = {"float32": 1e-3, "float16": 2e-2, "bfloat16": 5e-2}

_Answer = tuple[bool, str]


class Checker:
    """Checks one beam after the other.

    Args:
        subject: the model.
        sentences: enough of them.
    """

    def __init__(self, subject: Subject, sentences: Sentences) -> None:
        self._subject = subject
        self._together = sentences.first(COMPANY).limited(STEPS)
        self._exact = exact_copy(subject.network)

    def check(self, beam: int) -> tuple[Check, ...]:
        """All checks of a beam; what fails on the way is a check that did not pass."""
        # Costs that a search leaves out are none of the network's
        options = replace(searched(self._subject, self._together, beam), free_end=False, renormalize=False)
        decoder = self._pool(options)
        found = cache(lambda: best_of(decoder, self._together))
        asked: dict[str, Callable[[], _Answer]] = {
            "alone and in company": lambda: self._independence(decoder, found()),
            "scores in float32 with plain attention": lambda: self._scores(found(), options.eos_id),
        }
        if Engines(self._subject.network, options).makes_graphs:
            asked["with and without CUDA graphs"] = lambda: self._graphs(found(), options)
        return tuple(_answered(f"beam {beam}: {what}", ask) for what, ask in asked.items())

    def _pool(self, options: SearchOptions, *, graphs: bool = True) -> EnginePool:
        return EnginePool(Engines(self._subject.network, options, graphs=graphs), num_workers=1, max_slots=COMPANY)

    def _independence(self, decoder: EnginePool, found: list[Hypothesis]) -> _Answer:
        alone = [one for place in range(ALONE) for one in best_of(decoder, self._together.alone(place))]
        pairs = zip(found[:ALONE], alone, strict=True)
        return _counted([(one.tokens, one.log_prob) == (other.tokens, other.log_prob) for one, other in pairs])

    def _graphs(self, found: list[Hypothesis], options: SearchOptions) -> _Answer:
        without = best_of(self._pool(options, graphs=False), self._together)
        return _counted([one.tokens == other.tokens for one, other in zip(found, without, strict=True)])

    def _scores(self, found: list[Hypothesis], eos_id: int) -> _Answer:
        targets = [[*one.tokens, eos_id] for one in found]
        scores = score_targets(self._exact, self._together.sources, targets, self._subject.start_id)
        differences = [
            abs(one.log_prob - score.log_prob) / one.num_tokens for one, score in zip(found, scores, strict=True)
        ]
        limit = LARGEST[dtype_name(self._subject.network.output.weight.dtype)]
        passed = all(one <= limit for one in differences)  # false for NaN, too
        return passed, f"the scores differ by up to {max(differences):.2g} nats a token; {limit:g} is rounding"


def exact_copy(network: Transformer) -> Transformer:
    """The same weights in float32, with the attention that is the others' definition."""
    exact = copy.deepcopy(network).float()
    exact.attention = "reference"
    return exact


def searched(subject: Subject, sentences: Sentences, beam: int) -> SearchOptions:
    """How these sentences are searched: forced outputs are all as long as the longest limit."""
    options = subject.search(beam)
    return replace(options, min_tokens=max(sentences.limits) - 1, stop="full") if sentences.forced else options


def best_of(decoder: EnginePool, sentences: Sentences) -> list[Hypothesis]:
    """The best hypothesis of each sentence."""
    return [found[0] for found in decoder.decode(sentences.sources, sentences.limits)]


def _answered(what: str, ask: Callable[[], _Answer]) -> Check:
    try:
        passed, detail = ask()
    except (MtcliError, RuntimeError, ValueError) as error:
        raise_if_broken(what, error)
        passed, detail = False, first_lines(error)
    return Check(what=what, passed=passed, detail=detail)


def _counted(same: Sequence[bool]) -> _Answer:
    return all(same), f"{sum(same)} of {len(same)} are the same"


def failed(checks: Sequence[Check]) -> str | None:
    """What did not pass, in words; None where all did."""
    return "; ".join(f"{one.what}: {one.detail}" for one in checks if not one.passed) or None
