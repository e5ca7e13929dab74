"""What a contestant in training must be able to do, and how its time is taken: the same way for all."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.peers.protocol import serve

Settings = dict[str, Any]

# How all train: mtcli's defaults. The rate stays as it is, and low, so that random sentences spoil nothing.
LABEL_SMOOTHING = 0.1
LEARNING_RATE = 1e-4
BETAS = (0.9, 0.98)
EPSILON = 1e-9
CLIP_NORM = 1.0


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """One batch of sentence pairs.

    Attributes:
        sources, targets: token ids, the end tokens included.
    """

    sources: list[list[int]]
    targets: list[list[int]]

    @property
    def num_tokens(self) -> int:
        """Target tokens, end tokens included."""
        return sum(map(len, self.targets))


class Learner(Protocol):
    """One contestant."""

    def facts(self) -> dict[str, Any]:
        """Versions: {"versions": {...}}."""

    def load(self, description: str, threads: int) -> int:
        """Take the model that this JSON file describes (`benchmarks.peers.weights`), and use so many threads.

        Returns:
            How many numbers it learns, shared matrices counted once.
        """

    def prepare(self, settings: Settings) -> None:
        """Get ready to train with these settings, at least {"dtype": of the matrix products}."""

    def batch(self, pairs: Pairs) -> Any:
        """What a step takes, on the device."""

    def check(self, batch: Any) -> tuple[float, float]:
        """The label-smoothed loss in nats a target token and its gradient's norm, without dropout or an update."""

    def step(self, batch: Any) -> None:
        """One update of the weights; it need not wait for the device."""

    def synchronize(self) -> None:
        """Wait for the device."""

    def peak_bytes(self) -> int | None:
        """The most memory of a GPU that was in use since the last call; None on a CPU."""

    def release(self) -> None:
        """Give the device's memory that is not in use back to others."""


class Training:
    """Serves a learner: the other side asks through `benchmarks.peers.protocol`."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self._pairs: list[Pairs] = []
        self._settings: Settings | None = None

    def serve(self, **more: Callable[..., Any]) -> None:
        """Answer until stdin ends; `more` are commands of this learner alone."""
        serve({"facts": self._learner.facts, "load": self.load, "check": self.check, "train": self.train, **more})

    def load(self, description: str, threads: int, batches: Sequence[dict[str, Any]]) -> dict[str, int]:
        """Load a model, and the batches that it will be trained on: fields of `Pairs`."""
        self._pairs, self._settings = [Pairs(**batch) for batch in batches], None
        return {"parameters": self._learner.load(description, threads)}

    def check(self, settings: Settings, place: int = 0) -> dict[str, float]:
        """The loss of one batch, and its gradient's norm."""
        self.prepare(settings)
        loss, norm = self._learner.check(self.batch(place))
        self._learner.release()
        return {"loss": loss, "norm": norm}

    def train(
        self, settings: Settings, steps: int, warm_up: int = 0, window: int | None = None, ready: bool = False
    ) -> dict[str, Any]:
        """Train on one batch after the other, from the first again behind the last.

        Args:
            settings: the learner's own.
            steps: updates while the clock runs.
            warm_up: updates before.
            window: so many of them, which divide `steps`, are timed together and then waited for; None for all.
            ready: put the batches on the device before the clock starts.

        Returns:
            "seconds" and target "num_tokens" of each window; "peak_bytes" of a GPU's memory.
        """
        self.prepare(settings)
        made = {place: self.batch(place) for place in (range(len(self._pairs)) if ready else ())}

        def run(first: int, count: int) -> float:
            start = time.perf_counter()
            for place in self._places(first, count):
                self._learner.step(made[place] if ready else self.batch(place))
            self._learner.synchronize()
            return time.perf_counter() - start

        run(0, warm_up)
        self._learner.peak_bytes()
        window = window or steps
        parts = [(warm_up + first, window) for first in range(0, steps, window)]
        seconds = [run(*part) for part in parts]
        peak_bytes = self._learner.peak_bytes()
        made.clear()
        self._learner.release()
        num_tokens = [sum(self._pairs[place].num_tokens for place in self._places(*part)) for part in parts]
        return {"seconds": seconds, "num_tokens": num_tokens, "peak_bytes": peak_bytes}

    def _places(self, first: int, count: int) -> list[int]:
        return [number % len(self._pairs) for number in range(first, first + count)]

    def prepare(self, settings: Settings) -> None:
        """Let the learner get ready, where the settings are others than before."""
        if settings != self._settings:
            self._learner.prepare(settings)
            self._settings = settings

    @property
    def num_batches(self) -> int:
        return len(self._pairs)

    def batch(self, place: int) -> Any:
        """One of the batches, on the device."""
        return self._learner.batch(self._pairs[place])
