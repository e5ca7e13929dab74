"""Parts of decoding: of a real search on a CPU, and of one with graphs on a made-up GPU."""

import time
import types
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
import torch
from support.searching import SOURCES, network, options

from mtcli.bench.translation.phases import PARTS, DecodingPhases
from mtcli.decoding.engines import torch as engine
from mtcli.decoding.engines.torch import TorchEngines
from mtcli.decoding.pool import EnginePool

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_search_has_parts_and_nothing_stays_behind() -> None:
    model, step = network(1).float(), engine.beam_step
    with DecodingPhases(model) as watch:
        decoder = EnginePool(TorchEngines(model, options(2)), num_workers=1)
        start = time.perf_counter()
        found = decoder.decode(SOURCES, [6] * len(SOURCES))
        wall = time.perf_counter() - start
        taken = watch.seconds()
        watch.forget()
        assert watch.seconds() == dict.fromkeys(PARTS, 0.0)
    assert list(taken) == list(PARTS)
    assert min(taken.values()) > 0
    assert sum(taken.values()) < wall
    assert engine.beam_step is step
    assert not {"encode", "admit", "step"} & vars(model).keys()
    assert found == EnginePool(TorchEngines(model, options(2)), num_workers=1).decode(SOURCES, [6] * len(SOURCES))


class Event:
    """A moment on a GPU whose clock is a number."""

    clock = 0.0
    capturing = False

    def __init__(self, *, enable_timing: bool, external: bool) -> None:
        assert enable_timing and external is Event.capturing, "only a graph's events are external"
        self.at: float | None = None

    def record(self) -> None:
        if not Event.capturing:  # in a graph, a replay does it
            self.at = Event.clock

    def elapsed_time(self, end: "Event") -> float:
        assert self.at is not None and end.at is not None, "read before it was recorded"
        return end.at - self.at


class Steps:
    """An engine whose step runs as it is first, is captured then, and replayed from there on."""

    def __init__(self, watch: DecodingPhases) -> None:
        self.watch, self.seen = watch, 0
        self.encode = watch._timed(self.work, "encoder")
        self.parts = [watch._timed(self.work, part) for part in ("decoder", "search")]
        self.graph: list[Any] = []

    def work(self, milliseconds: float) -> None:
        Event.clock += 0 if Event.capturing else milliseconds

    def step(self, slots: object) -> None:
        self.seen += 1
        if self.seen == 2:
            Event.capturing = True
        if self.seen <= 2:
            for part, milliseconds in zip(self.parts, (3.0, 1.0), strict=True):
                part(milliseconds)
        if self.seen == 2:
            Event.capturing = False
            self.graph = list(self.watch._new)
        if self.seen >= 2:
            for mark, milliseconds in zip(self.graph, (3.0, 1.0), strict=True):
                mark.start.at = Event.clock
                Event.clock += milliseconds
                mark.end.at = Event.clock


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: Event.capturing)
    with mock.patch.multiple(Event, clock=0.0, capturing=False):
        yield


@pytest.mark.usefixtures("gpu")
def test_steps_in_graphs_are_read_whenever_they_are_replayed() -> None:
    watch = DecodingPhases(network(1))
    watch._on_gpu = True
    steps = Steps(watch)
    watched: Any = watch._read_after(Steps.step)  # type: ignore[arg-type]
    slots = types.SimpleNamespace(num_taking_part=8)
    steps.encode(5.0)
    for _ in range(4):
        watched(steps, slots)
    assert watch.seconds() == pytest.approx({"encoder": 0.005, "decoder": 0.012, "search": 0.004})
    watch.forget()
    watched(steps, slots)
    assert watch.seconds() == pytest.approx({"encoder": 0.0, "decoder": 0.003, "search": 0.001})
    assert list(watch.seconds()) == list(PARTS)
