"""Is what is timed right? Asked of every beam before its first figure.

- The same alone and in company: on a GPU tokens and log-probabilities to the last bit, on a CPU, where PyTorch promises
  no more, log-probabilities up to rounding.
- The log-probabilities are those that one pass in float32 with the plainest attention gives the tokens found.
- On a GPU: the same tokens with CUDA graphs and without.
"""

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from mtcli.bench.contest import Check, ContestantError
from mtcli.bench.contest.failures import told
from mtcli.bench.workload.model import BenchModel
from mtcli.bench.workload.sentences import SourceSentences
from mtcli.decoding.engines.torch_forced import TorchForced
from mtcli.decoding.pool import EnginePool
from mtcli.decoding.scoring import TargetScore
from mtcli.decoding.search import Hypothesis, SearchOptions

ALONE, COMPANY = 2, 4  # sentences decoded one by one, and together
STEPS = 12  # of each, where outputs are forced
# Nats a token: what rounding makes of a log-probability, with room; a wrong mask makes many times as much.
LARGEST = {"float32": 1e-3, "float16": 2e-2, "bfloat16": 5e-2}


class Checker:
    """Checks one beam after the other.

    Args:
        model: what decodes.
        sentences: enough of them.
    """

    def __init__(self, model: BenchModel, sentences: SourceSentences) -> None:
        self._model = model
        self._together = sentences.first(COMPANY).limited(STEPS)
        self._exact = copy.deepcopy(model.network).float()
        self._exact.attention = "reference"  # the others' definition

    def check(self, beam: int) -> tuple[Check, ...]:
        """All checks of a beam; what fails on the way is a check that did not pass."""
        what = f"beam {beam}"
        try:
            with told(what):
                return tuple(one.model_copy(update={"what": f"{what}: {one.what}"}) for one in self._checks(beam))
        except ContestantError as error:
            return (Check(what=f"{what}: decoding {COMPANY} sentences", passed=False, detail=str(error)),)

    def _checks(self, beam: int) -> Iterator[Check]:
        # Costs that a search leaves out are none of the network's
        options = replace(self._model.searched(self._together, beam), free_end=False, renormalize=False)
        decoder = self._decoder(options)
        found = best_of(decoder, self._together)
        alone = [one for place in range(ALONE) for one in best_of(decoder, self._together.alone(place))]
        yield self._company(list(zip(found[:ALONE], alone, strict=True)))
        yield self._scores(found, options.eos_id)
        if self._model.makes_graphs(options):
            without = best_of(self._decoder(options, graphs=False), self._together)
            same = [one.tokens == other.tokens for one, other in zip(found, without, strict=True)]
            yield _counted("with and without CUDA graphs", same)

    def _decoder(self, options: SearchOptions, *, graphs: bool = True) -> EnginePool:
        return self._model.pool(options, num_workers=1, max_slots=COMPANY, graphs=graphs)

    def _company(self, pairs: Sequence[tuple[Hypothesis, Hypothesis]]) -> Check:
        if self._model.device.type == "cpu":
            differences = [abs(one.log_prob - other.log_prob) / one.num_tokens for one, other in pairs]
            return self._rounding("alone and in company", differences)
        same = [(one.tokens, one.log_prob) == (other.tokens, other.log_prob) for one, other in pairs]
        return _counted("alone and in company", same)

    def _scores(self, found: list[Hypothesis], eos_id: int) -> Check:
        targets = [[*one.tokens, eos_id] for one in found]
        log_probs = TorchForced(self._exact).log_probs(self._together.sources, targets, self._model.start_id)
        scores = map(TargetScore.of, log_probs)
        pairs = zip(found, scores, strict=True)
        differences = [abs(one.log_prob - score.log_prob) / one.num_tokens for one, score in pairs]
        return self._rounding("scores in float32 with plain attention", differences)

    def _rounding(self, what: str, differences: Sequence[float]) -> Check:
        limit = LARGEST[self._model.dtype]
        return Check(
            what=what,
            passed=all(one <= limit for one in differences),  # false for NaN, too
            detail=f"the scores differ by up to {max(differences):.2g} nats a token; {limit:g} is rounding",
        )


def _counted(what: str, same: Iterable[bool]) -> Check:
    found = list(same)
    return Check(what=what, passed=all(found), detail=f"{sum(found)} of {len(found)} are the same")


def best_of(decoder: EnginePool, sentences: SourceSentences) -> list[Hypothesis]:
    """The best hypothesis of each sentence."""
    return [found[0] for found in decoder.decode(sentences.sources, sentences.limits)]
