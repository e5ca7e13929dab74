"""What a decoder must be able to do, and how its time is taken: the same way for all. Needs the standard library.

A decoder answers requests on stdin with answers on stdout: JSON, one a line, in turn. A request is {"command": name,
argument: value, ...}; the answer is whatever that command returns. A command that fails ends the process with its
traceback on stderr, which the other side sees as the end of the answers.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

Settings = dict[str, Any]

WARM_UP_ONE_BY_ONE = 8  # sentences decoded before the clock starts


@dataclass(frozen=True, kw_only=True)
class Work:
    """Sentences to decode.

    Attributes:
        sources: token ids, the end token included.
        limits: the longest output of each, in tokens, end token included.
        forced: the end token may not come before the limit, so that each output takes exactly so many steps.
        length_penalty: exponent of the length in a hypothesis's score.
        lines: the same sentences as text; empty where there is none.
    """

    sources: list[list[int]]
    limits: list[int]
    forced: bool
    length_penalty: float
    lines: list[str]

    def part(self, start: int, end: int | None) -> "Work":
        """Return sentences from `start` to before `end`; None is behind the last."""
        some = slice(start, end)
        return replace(self, sources=self.sources[some], limits=self.limits[some], lines=self.lines[some])


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came out: token ids without the end token or, of an engine that takes lines, text.

    Attributes:
        num_tokens: of the best hypotheses, end tokens included.
        log_probs: the engine's own sums in nats, where it tells them.
    """

    outputs: Sequence[list[int]] = ()
    texts: Sequence[str] = ()
    num_tokens: int
    log_probs: Sequence[float] = ()

    @classmethod
    def of(cls, outputs: list[list[int]], work: Work) -> "Outcome":
        """Summarise token ids, one list a sentence, of an engine that writes no end token where outputs are forced."""
        return cls(outputs=outputs, num_tokens=sum(map(len, outputs)) + (0 if work.forced else len(outputs)))


class Engine(Protocol):
    """One decoder."""

    def facts(self) -> dict[str, Any]:
        """Return its versions, and the number types it has here: {"versions": {...}, "dtypes": [...]}."""

    def load(self, description: str, threads: int) -> None:
        """Take the model that this JSON file describes (`benchmarks.peers.weights`), and use so many threads."""

    def prepare(self, settings: Settings) -> None:
        """Get ready to decode with these settings; called when they change, not timed."""

    def ready(self, work: Work, beam: int) -> Callable[[], Any]:
        """Return a call that decodes; what a user would have done beforehand is done here, not timed."""

    def outcome(self, decoded: Any, work: Work) -> Outcome:
        """Make tokens or text of what that call returned; not timed."""

    def score(self, sources: list[list[int]], targets: list[list[int]]) -> list[float]:
        """Return the summed natural-log probability of each target, its end token included, in float32, where nothing
        that is never generated has any."""


class Decoder:
    """An engine that answers requests."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._work = Work(sources=[], limits=[], forced=False, length_penalty=0.0, lines=[])
        self._settings: Settings | None = None

    def serve(self) -> None:
        """Answer until stdin ends."""
        commands: dict[str, Callable[..., Any]] = {
            "facts": self._engine.facts,
            "load": self.load,
            "decode": self.decode,
            "one_by_one": self.one_by_one,
            "score": self._engine.score,
        }
        # Libraries print: what they say must not get between the answers.
        answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        for line in sys.stdin:
            request = json.loads(line)
            answer = commands[request.pop("command")](**request)
            print(json.dumps(answer), file=answers, flush=True)

    def load(self, description: str, threads: int, work: dict[str, Any]) -> None:
        """Load a model and the sentences that it will decode."""
        self._engine.load(description, threads)
        self._work, self._settings = Work(**work), None

    def decode(self, settings: Settings, beam: int, warm_up: int, first: int | None = None) -> dict[str, Any]:
        """Decode all sentences in one call, or so many of the first.

        Args:
            settings: the engine's own.
            beam: 1 is greedy.
            warm_up: sentences decoded before the clock starts.
            first: sentences; None for all.

        Returns:
            "seconds", and the fields of an `Outcome`.

        Raises:
            ValueError: outputs were forced, and are shorter than they were to be.
        """
        self._prepare(settings)
        self._engine.ready(self._work.part(0, warm_up), beam)()
        work = self._work.part(0, first)
        call = self._engine.ready(work, beam)
        start = time.perf_counter()
        decoded = call()
        seconds = time.perf_counter() - start
        outcome = self._engine.outcome(decoded, work)
        if work.forced and outcome.num_tokens != (wanted := sum(work.limits)):
            raise ValueError(f"decoded {outcome.num_tokens} target tokens where {wanted} were forced")
        return {"seconds": seconds, **vars(outcome)}

    def one_by_one(self, settings: Settings, beam: int, first: int | None = None) -> dict[str, Any]:
        """Decode each sentence, or so many of the first, in a call of its own: {"seconds": one a sentence}.

        A few of them are decoded once before.
        """
        self._prepare(settings)
        work = self._work.part(0, first)
        parts = [work.part(place, place + 1) for place in range(len(work.sources))]
        for part in parts[:WARM_UP_ONE_BY_ONE]:
            self._engine.ready(part, beam)()
        seconds = []
        for call in [self._engine.ready(part, beam) for part in parts]:
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
        return {"seconds": seconds}

    def _prepare(self, settings: Settings) -> None:
        if settings != self._settings:
            self._engine.prepare(settings)
            self._settings = settings


def batches(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Return indices of so many sentences a batch, the longest first."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    return [order[start : start + size] for start in range(0, len(order), size)]


def until(end: int, tokens: list[int]) -> list[int]:
    """Return those before the first end token; all where there is none."""
    return tokens[: tokens.index(end)] if end in tokens else tokens
