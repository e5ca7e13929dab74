"""Engines: what takes many sentences through their search together, each in a slot.

The pool (mtcli/decoding/pool.py) knows an engine by this protocol alone, so that another one can be chosen by name.
An engine's module has a class that makes engines for one model (`Engines`); FACTORIES says where, and `load` finds it.
Which one decodes is chosen in choice.py.
"""

import importlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from mtcli.decoding.search import Hypothesis, SearchOptions, Task
from mtcli.errors import MtcliError
from mtcli.model_directory.model import Model

Outcome = tuple[Task, list[Hypothesis] | MtcliError]
"""A sentence that left its slot, with its hypotheses, best first, or the reason why there are none."""

FACTORIES = {"native": "NativeEngines", "torch": "TorchEngines"}
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
    """The class of a kind of engines that need no PyTorch."""

    def __call__(self, model: Model, options: SearchOptions, *, independent: bool = ..., dtype: str = ...) -> Engines:
        """Prepare a model for one way to search.

        Args:
            model: whose weights the engines read, by `Model.read_weights`; it may be prepared again for another way.
            options: how to search.
            independent: whether a sentence's hypotheses must not depend, to the last bit, on what is decoded beside it.
            dtype: `float32` or `int8`.
        """


class EngineModule(Protocol):
    """The module of an engine that need not run everywhere."""

    def obstacle(self, model: Model, options: SearchOptions, *, dtype: str) -> str | None:
        """Tell in a sentence why the engine cannot decode so, with this model or on this machine; None where it can."""


def load(name: str) -> Any:
    """Find the class that makes an engine, a key of FACTORIES.

    Raises:
        ImportError: its module, or something that this needs, is not installed.
    """
    return getattr(module_of(name), FACTORIES[name])


def module_of(name: str) -> Any:
    """Import an engine's module.

    Raises:
        ImportError: it, or something that it needs, is not installed.
    """
    return importlib.import_module(f"mtcli.decoding.engines.{name}")
