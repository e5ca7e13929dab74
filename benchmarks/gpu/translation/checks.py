"""Is what is timed right? Asked of every contestant before its first figure.

- `graphs`: mtcli finds the same tokens with CUDA graphs and without.
- `independence`: mtcli finds the same tokens and log-probabilities, to the last bit, alone and in company.
- `scores`: what mtcli finds on the device has the log-probability that the network gives it in float32 on the CPU.
- `model`: a peer gives what mtcli found that log-probability, in float32: it has the same weights.

A check covers the entries that it is about; those are measured only if it got an answer.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from benchmarks.contest.answering import ContestantError
from benchmarks.gpu.results import Json
from benchmarks.gpu.team import Team
from benchmarks.gpu.translation.entries import AUTO, Entry
from benchmarks.peers.engine import Work
from benchmarks.questions.decoding.contestants import CTRANSLATE2, MARIAN, MTCLI

SCORED = 8  # sentences
# Nats a token: rounding logits to float16 makes a tenth of it, a wrong weight or kernel many times as much.
LARGEST_DIFFERENCE = 2e-2

WAYS = ((AUTO, True), (AUTO, False), ("sdpa", False), ("padded", False))  # attention, and whether independent

Found = list[tuple[list[int], float]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Questions:
    """Asks the team.

    Attributes:
        work: sentences, more than `slots`.
        slots: mtcli's.
        beams: the searches.
        seconds: limit of each answer.
        dtype: number type that mtcli decodes in.
    """

    team: Team
    work: Work
    slots: int
    beams: Sequence[int]
    seconds: float
    dtype: str = "float16"

    def all(self) -> Iterator[Json]:
        """The results, each {"check", "contestant", "beam", "attention", "independent": where it is about scores,
        "passed": None where there was no answer, "detail", "nats_a_token": the largest difference of scores}.
        """
        for beam in self.beams:
            ours = {"contestant": MTCLI, "beam": beam}
            yield _answered({"check": "graphs", **ours}, partial(self._graphs, beam))
            yield _answered({"check": "independence", **ours}, partial(self._independence, beam))
            for attention, independent in WAYS:
                way = {"attention": attention, "independent": independent}
                ask = partial(self._scores, MTCLI, beam, graphs=attention == AUTO, **way)
                yield _answered({"check": "scores", **ours, **way}, ask)
        for peer in (CTRANSLATE2, MARIAN):
            beam = min(self.beams)
            head = {"check": "model", "contestant": peer, "beam": beam}
            yield _answered(head, partial(self._scores, peer, beam))

    def _graphs(self, beam: int) -> Json:
        with_graphs, without = self._found(self.work, beam), self._found(self.work, beam, graphs=False)
        return _same([one[0] for one in with_graphs], [one[0] for one in without])

    def _independence(self, beam: int) -> Json:
        few = self.work.part(0, SCORED)
        return _same(self._found(self.work, beam)[:SCORED], self._found(few, beam, alone=True))

    def _scores(self, contestant: str, beam: int, **way: Any) -> Json:
        few = self.work.part(0, SCORED)
        found = self._found(few, beam, **way)
        targets = [tokens for tokens, _ in found]
        scores = self.team.ask(contestant, "score", self.seconds, sources=few.sources, targets=targets)
        return _close(found, scores)

    def _found(self, work: Work, beam: int, *, alone: bool = False, **way: Any) -> Found:
        """What mtcli finds, as it is by default but for `way`."""
        settings = {
            "dtype": self.dtype,
            "slots": self.slots,
            "independent": True,
            "graphs": True,
            "attention": AUTO,
        } | way
        fields = dataclasses.asdict(work)
        answer: Found = self.team.ask(
            MTCLI, "hypotheses", self.seconds, settings=settings, beam=beam, work=fields, alone=alone
        )
        return answer


def _answered(head: Json, ask: Callable[[], Json]) -> Json:
    try:
        return head | ask()
    except ContestantError as error:
        return head | {"passed": None, "detail": f"no answer: {error}", "nats_a_token": None}


def _same(first: Sequence[Any], second: Sequence[Any]) -> Json:
    same = sum(one == other for one, other in zip(first, second, strict=True))
    return {"passed": same == len(first), "detail": f"{same} of {len(first)} are the same", "nats_a_token": None}


def _close(found: Found, scores: Sequence[float]) -> Json:
    differences = [
        abs(log_prob - score) / (len(tokens) + 1) for (tokens, log_prob), score in zip(found, scores, strict=True)
    ]
    passed = all(one <= LARGEST_DIFFERENCE for one in differences)  # false for NaN, too
    largest = max(differences)
    return {
        "passed": passed,
        "detail": f"the scores differ by up to {largest:.2g} nats a token; {LARGEST_DIFFERENCE:g} is rounding",
        "nats_a_token": largest,
    }


def covers(check: Json, entry: Entry) -> bool:
    """Whether a check is about what this entry does."""
    if entry.contestant != check["contestant"]:
        return False
    if check["check"] == "model":
        return True
    if entry.beam != check["beam"]:
        return False
    if check["check"] == "scores":
        return (entry.attention, entry.independent) == (check["attention"], check["independent"])
    return entry.graphs if check["check"] == "graphs" else entry.independent


def failures(checks: Sequence[Json], entry: Entry) -> list[Json]:
    """The checks of an entry that did not pass."""
    return [one for one in checks if not one["passed"] and covers(one, entry)]
