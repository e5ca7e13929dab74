"""Engines: what takes many sentences through their search together, each in a slot.

The pool (mtcli/decoding/pool.py) knows an engine by this protocol alone, so that another one can be chosen by name.
An engine's module has a class that makes engines for one model (`Engines`); FACTORIES says where, and `load` finds it.
"""

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from mtcli.decoding.search import Hypothesis, SearchOptions, Task
from mtcli.errors import MtcliError

if TYPE_CHECKING:
    from mtcli.model.transformer import Transformer

Outcome = tuple[Task, list[Hypothesis] | MtcliError]
"""A sentence that left its slot, with its hypotheses, best first, or the reason why there are none."""

FACTORIES = {"torch": "TorchEngines"}
"""By the name of an engine, which is its module's too, the class that makes such engines."""


class Engine(Protocol):
    """Searches for many sentences at once. Not thread-safe: each thread has an engine of its own.

    Attributes:
        max_slots: sentences in work at once, at most.
        threads: processors that it may use; changed between calls.
    """

    max_slots: int
    threads: int

    @property
    def num_live(self) -> int:
        """Sentences in work."""

    @property
    def num_free(self) -> int:
        """Sentences that may be admitted."""

    @property
    def longest_source(self) -> int:
        """Tokens of the longest sentence in work; 0 if there is none."""

    def admit(self, tasks: Sequence[Task]) -> None:
        """Take sentences in, no more than are free.

        Raises:
            MemoryError, RuntimeError: out of memory; only `reset` helps then.
        """

    def advance(self) -> list[Outcome]:
        """Take all sentences a few steps on; returns those that left their slots.

        Raises:
            MemoryError, RuntimeError: as `admit`.
        """

    def drop(self, is_unwanted: Callable[[Task], bool]) -> None:
        """Free the slots of sentences that nobody waits for any more."""

    def reset(self) -> list[Task]:
        """Forget all sentences and give back their memory; returns those that were not done."""

    def shrink(self, failed: int) -> None:
        """Hold half of `failed` sentences from now on, one at least; called after `reset`, when memory ran out."""


class Engines(Protocol):
    """Makes engines that decode with one model in one way.

    Attributes:
        options: how they search.
        num_workers: engines to use at once, each in a thread of its own, where nobody says otherwise.
        num_threads: processors that those at work divide among them.
    """

    options: SearchOptions
    num_workers: int
    num_threads: int

    def make(self, max_slots: int | None, num_workers: int) -> Engine:
        """Make an engine.

        Args:
            max_slots: sentences at once; None for as many as are fast and fit into memory.
            num_workers: engines that share this memory.
        """


class EnginesFactory(Protocol):
    """The class of a kind of engines."""

    def __call__(self, network: "Transformer", options: SearchOptions, *, independent: bool = ...) -> Engines:
        """Prepare a network for one way to search."""


def load(name: str) -> EnginesFactory:
    """Find a kind of engines by its name, a key of FACTORIES."""
    module = importlib.import_module(f"mtcli.decoding.engines.{name}")
    return getattr(module, FACTORIES[name])  # type: ignore[no-any-return]
