"""What a contestant must be able to do, and how its time is taken: the same way for all."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.peers.protocol import serve

Settings = dict[str, Any]

# Sentences decoded before the clock starts, with the same settings.
WARM_UP_TOGETHER = 64
WARM_UP_ONE_BY_ONE = 8


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

    def part(self, start: int, end: int) -> "Work":
        """Sentences from `start` to before `end`."""
        return Work(
            sources=self.sources[start:end],
            limits=self.limits[start:end],
            forced=self.forced,
            length_penalty=self.length_penalty,
            lines=self.lines[start:end],
        )


@dataclass(frozen=True)
class Outcome:
    """What came out: token ids without the end token or, of an engine that takes lines, text.

    Attributes:
        num_tokens: of the best hypotheses, end tokens included.
    """

    outputs: list[list[int]]
    texts: list[str]
    num_tokens: int

    @classmethod
    def of(cls, outputs: list[list[int]], work: Work) -> "Outcome":
        """Of token ids, one list a sentence, by an engine that writes no end token where outputs are forced."""
        ends = 0 if work.forced else len(outputs)
        return cls(outputs, [], sum(map(len, outputs)) + ends)

    @classmethod
    def of_batches(cls, found: Sequence[tuple[Sequence[int], Sequence[list[int]]]], eos: int, work: Work) -> "Outcome":
        """Of padded rows, batch by batch: which sentences they belong to, and the rows, `eos` and filler at the end."""
        outputs: list[list[int]] = [[] for _ in work.sources]
        for part, rows in found:
            for place, row in zip(part, rows, strict=True):
                outputs[place] = until(eos, row)
        return cls.of(outputs, work)


class Engine(Protocol):
    """One contestant."""

    def facts(self) -> dict[str, Any]:
        """Versions, and the number types it has on this machine: {"versions": {...}, "dtypes": [...]}."""

    def refusal(self, description: str) -> str | None:
        """Why it cannot hold the model that this JSON file describes, in a sentence; None where it can."""

    def load(self, description: str, threads: int) -> None:
        """Take the model that this JSON file describes (`benchmarks.peers.weights`), and use so many threads."""

    def prepare(self, settings: Settings) -> None:
        """Get ready to decode with these settings; called when they change, not timed."""

    def ready(self, work: Work, beam: int) -> Callable[[], Any]:
        """A call that decodes; what a user would have done beforehand is done here, not timed."""

    def outcome(self, decoded: Any, work: Work) -> Outcome:
        """What that call returned, as tokens or text; not timed."""

    def score(self, sources: list[list[int]], targets: list[list[int]]) -> list[float]:
        """Summed natural-log probability of each target, its end token included; in float32."""


class Contestant:
    """An engine behind the protocol's commands."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._work = Work(sources=[], limits=[], forced=False, length_penalty=0.0, lines=[])
        self._settings: Settings | None = None

    def serve(self, **more: Callable[..., Any]) -> None:
        """Answer until stdin ends; `more` are commands of this engine alone."""
        serve(
            {
                "facts": self._engine.facts,
                "refusal": self._engine.refusal,
                "load": self.load,
                "decode": self.decode,
                "one_by_one": self.one_by_one,
                "score": self._engine.score,
                **more,
            }
        )

    def load(self, description: str, threads: int, work: dict[str, Any]) -> None:
        """Load a model and the sentences that it will decode."""
        self._engine.load(description, threads)
        self._work, self._settings = Work(**work), None

    def decode(
        self, settings: Settings, beam: int, first: int | None = None, warm_up: int = WARM_UP_TOGETHER
    ) -> dict[str, Any]:
        """Decode all sentences in one call, or so many of the first.

        Args:
            settings: the engine's own.
            beam: 1 is greedy.
            first: sentences; None for all.
            warm_up: sentences decoded before the clock starts.

        Returns:
            "seconds", "num_tokens", and "outputs" or "texts".
        """
        self._prepare(settings)
        self._engine.ready(self._work.part(0, warm_up), beam)()
        work = self._first(first)
        call = self._engine.ready(work, beam)
        start = time.perf_counter()
        decoded = call()
        seconds = time.perf_counter() - start
        outcome = self._engine.outcome(decoded, work)
        _refuse_wrong_lengths(outcome, work)
        return {
            "seconds": seconds,
            "num_tokens": outcome.num_tokens,
            "outputs": outcome.outputs,
            "texts": outcome.texts,
        }

    def one_by_one(self, settings: Settings, beam: int, first: int | None = None) -> dict[str, Any]:
        """Decode each sentence, or so many of the first, in a call of its own: {"seconds": one a sentence}.

        A few of them are decoded once before.
        """
        self._prepare(settings)
        parts = [self._work.part(place, place + 1) for place in range(len(self._first(first).sources))]
        for part in parts[:WARM_UP_ONE_BY_ONE]:
            self._engine.ready(part, beam)()
        calls = [self._engine.ready(part, beam) for part in parts]
        return {"seconds": [_seconds(call) for call in calls]}

    def _first(self, count: int | None) -> Work:
        return self._work if count is None else self._work.part(0, count)

    def _prepare(self, settings: Settings) -> None:
        if settings != self._settings:
            self._engine.prepare(settings)
            self._settings = settings


def _refuse_wrong_lengths(outcome: Outcome, work: Work) -> None:
    """Forced outputs must have cost the steps that they are counted for."""
    wanted = sum(work.limits)
    if work.forced and outcome.num_tokens != wanted:
        raise ValueError(
            f"decoded {outcome.num_tokens} target tokens where {wanted} were forced: the work is not the same."
        )


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def batches(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Indices of so many sentences a batch, the longest first."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    return [order[start : start + size] for start in range(0, len(order), size)]


def until(end: int, tokens: list[int]) -> list[int]:
    """Those before the first end token; all where there is none."""
    return tokens[: tokens.index(end)] if end in tokens else tokens
