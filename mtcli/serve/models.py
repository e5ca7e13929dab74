"""Which model translates what: found by direction, loaded when somebody needs it, unloaded when nobody does.

Everything here belongs to the event loop's thread, but for `load`, which works in another.
"""

import asyncio
import ctypes
import gc
import logging
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mtcli.decoding.alignment import Aligner
from mtcli.decoding.options import ComputeOptions
from mtcli.decoding.translator import Translator, Work
from mtcli.errors import UsageError
from mtcli.model_directory.card import direction_of
from mtcli.model_directory.description import load_architecture
from mtcli.serve.languages import canonical, written
from mtcli.serve.settings import NamedModel

_log = logging.getLogger(__name__)
Direction = tuple[str, str]
"""Canonical codes of what is read and what is written."""


class ServedModel:
    """A model directory that is in memory while somebody needs it.

    Attributes:
        directory: where it is.
        direction: what it translates.
        users: requests that are using it.
        work: what it had done before it was last unloaded.
    """

    def __init__(self, directory: Path, direction: Direction, compute: ComputeOptions) -> None:
        """Know a model; nothing of it is loaded."""
        self.directory, self.direction, self._compute = directory, direction, compute
        self._translator: Translator | None = None
        self._aligner: Aligner | None = None
        self._loading = asyncio.Lock()
        self._aligning = asyncio.Lock()
        self._used = time.monotonic()
        self.users = 0
        self.work = Work()

    @property
    def name(self) -> str:
        """Such as `en-de`."""
        return "-".join(map(written, self.direction))

    @property
    def translator(self) -> Translator | None:
        """What translates with it, if it is loaded."""
        return self._translator

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Translator]:
        """Keep it loaded while the block runs.

        Raises:
            MtcliError: it cannot be loaded.
        """
        self.users += 1
        try:
            yield await self._loaded()
        finally:
            self.users -= 1
            self._used = time.monotonic()

    @asynccontextmanager
    async def use_aligner(self) -> AsyncIterator[Aligner]:
        """Keep it loaded for word alignments, which one request at a time computes."""
        async with self.use() as translator, self._aligning:
            if self._aligner is None:
                self._aligner = await asyncio.to_thread(Aligner, translator.backend)
            yield self._aligner

    async def _loaded(self) -> Translator:
        if self._translator is None:
            async with self._loading:
                if self._translator is None:
                    _log.info("Loading %s for %s.", self.directory, self.name)
                    self._translator = await asyncio.to_thread(self._load)
        return self._translator

    def _load(self) -> Translator:
        return Translator(
            self.directory,
            device=self._compute.device,
            dtype=self._compute.dtype,
            attention=self._compute.attention,
            engine=self._compute.engine,
            independent=not self._compute.fast,
        )

    def unload_if_idle(self, seconds: float) -> bool:
        """Give its memory back where nobody has used it for so long; whether that was done."""
        if self._translator is None or self.users or time.monotonic() - self._used < seconds:
            return False
        done = self._translator.work
        for name in vars(self.work):
            setattr(self.work, name, getattr(self.work, name) + getattr(done, name))
        self._translator = self._aligner = None
        _log.info("Unloaded %s, which nobody used.", self.name)
        return True


@dataclass(frozen=True)
class Route:
    """How to get from one language to another: one model, or two over a language between.

    Attributes:
        models: in the order in which they translate.
    """

    models: tuple[ServedModel, ...]

    @property
    def pivot(self) -> str | None:
        """The language between; None where one model does it."""
        return self.models[0].direction[1] if len(self.models) > 1 else None


class Models:
    """All models that are served, by direction."""

    def __init__(self, models: Sequence[ServedModel]) -> None:
        """Serve these; no two have one direction."""
        self._by_direction = {model.direction: model for model in models}
        self._routes = dict(_routes(self._by_direction))

    @classmethod
    def open(cls, named: Sequence[NamedModel], compute: ComputeOptions) -> "Models":
        """Look at model directories; their weights are left for later.

        Raises:
            UsageError: there are none, one does not say its direction, or two have the same.
            CheckpointError: a directory is no model, or damaged.
        """
        found: dict[Direction, NamedModel] = {}
        for model in named:
            load_architecture(model.directory)
            direction = _direction(model)
            other = found.get(direction)
            if other and not (other.may_yield or model.may_yield):
                raise UsageError(
                    f"-m {other.directory} and -m {model.directory} both translate {'-'.join(direction)}: give one."
                )
            if other is None or other.may_yield:
                found[direction] = model
        if not found:
            raise UsageError("There is nothing to serve: give a model with -m DIR, or leave --no-box out.")
        return cls([ServedModel(model.directory, direction, compute) for direction, model in found.items()])

    def __iter__(self) -> Iterator[ServedModel]:
        return iter(self._by_direction.values())

    @property
    def languages(self) -> list[str]:
        """All codes, read or written, in order of first appearance."""
        return list(dict.fromkeys(code for direction in self._by_direction for code in direction))

    @property
    def sources(self) -> list[str]:
        """The codes of all languages that are read."""
        return list(dict.fromkeys(source for source, _ in self._by_direction))

    def targets(self, source: str) -> list[str]:
        """What a language can be translated into, directly or over another."""
        return [target for start, target in self._routes if start == source]

    def route(self, source: str, target: str) -> Route | None:
        """How to translate between two languages; None where there is no way."""
        return self._routes.get((source, target))

    async def warm_up(self) -> None:
        """Load the first model, and let it translate a word, so that nobody waits for that.

        Raises:
            MtcliError: it cannot be loaded.
        """
        first = next(iter(self))
        async with first.use() as translator:
            await asyncio.to_thread(translator.translate, ["a"])

    def unload_idle(self, seconds: float) -> None:
        """Give the memory of models back that nobody has used for so long."""
        if [model for model in self if model.unload_if_idle(seconds)]:
            gc.collect()
            _give_memory_back()


def _direction(model: NamedModel) -> Direction:
    codes = model.direction or direction_of(model.directory)
    if codes is None:
        raise UsageError(
            f"The model {model.directory} does not say which languages it is for: give them, as in "
            f"-m en-de={model.directory}."
        )
    source, target = map(canonical, codes)
    return source, target


def _routes(models: Mapping[Direction, ServedModel]) -> Iterator[tuple[Direction, Route]]:
    """All ways: direct ones first, then over one language, the first found."""
    for direction, model in models.items():
        yield direction, Route((model,))
    over: dict[Direction, Route] = {}
    for (source, middle), first in models.items():
        for (start, target), second in models.items():
            if start == middle and target != source and (source, target) not in models:
                over.setdefault((source, target), Route((first, second)))
    yield from over.items()


def _give_memory_back() -> None:
    """Let the C library hand what was freed to the system, where it is one that can."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)
