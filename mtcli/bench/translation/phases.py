"""Where the time of decoding goes: in the encoder, the decoder, the search step, or on the host.

On a CPU by the wall clock around each part. On a GPU by events around each part, within the CUDA graphs of steps as
well, where they are recorded whenever a graph is replayed; each step is waited for, so that its events can be read
before the next one takes them. What the encoder's operations, which are in no graph, wait for their launch counts as
the encoder's.
"""

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple, Self
from unittest import mock

import torch

from mtcli.bench.roofline.transformer_cost import DECODER, ENCODER, SEARCH
from mtcli.decoding.engines import torch as engine
from mtcli.decoding.engines.slots import Slots
from mtcli.decoding.engines.torch import TorchEngine
from mtcli.model.transformer import Transformer

PARTS = (ENCODER, DECODER, SEARCH)


class _Mark(NamedTuple):
    """A part on a GPU, between two events; `captured` where these belong to a graph."""

    part: str
    start: Any
    end: Any
    captured: bool


class DecodingPhases:
    """Watches all decoding with a network while it is entered; decoders must be made and used within.

    The encoder's part is `encode`, and `admit`, which projects its output into every decoder layer's keys and values.
    """

    def __init__(self, network: Transformer) -> None:
        self._network = network
        self._on_gpu = network.output.weight.device.type == "cuda"
        self._taken: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._new: list[_Mark] = []  # events of a GPU that nobody has read yet
        self._in_graphs: dict[tuple[TorchEngine, int], list[_Mark]] = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        network = self._network
        places: list[tuple[Any, str, str]] = [
            (network, "encode", ENCODER),
            (network, "admit", ENCODER),
            (network, "step", DECODER),
            (engine, "beam_step", SEARCH),
        ]
        for owner, name, part in places:
            self._stack.enter_context(mock.patch.object(owner, name, self._timed(getattr(owner, name), part)))
        if self._on_gpu:
            self._stack.enter_context(mock.patch.object(TorchEngine, "_step", self._read_after(TorchEngine._step)))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def forget(self) -> None:
        """Begin anew: what was taken so far was a warm-up."""
        with self._lock:
            self._taken.clear()

    def seconds(self) -> dict[str, float]:
        """Of each of PARTS since the last `forget`; those of several threads are added up."""
        if self._on_gpu:
            self._read()
        return {part: self._taken[part] for part in PARTS}

    def _timed(self, function: Callable[..., Any], part: str) -> Callable[..., Any]:
        def on_cpu(*arguments: Any, **keywords: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*arguments, **keywords)
            finally:
                self._add(part, time.perf_counter() - start)

        def on_gpu(*arguments: Any, **keywords: Any) -> Any:
            captured = torch.cuda.is_current_stream_capturing()
            start, end = (torch.cuda.Event(enable_timing=True, external=captured) for _ in range(2))
            start.record()
            result = function(*arguments, **keywords)
            end.record()
            self._new.append(_Mark(part, start, end, captured))
            return result

        return on_gpu if self._on_gpu else on_cpu

    def _add(self, part: str, seconds: float) -> None:
        with self._lock:
            self._taken[part] += seconds

    def _read_after(self, step: Callable[[TorchEngine, Slots], None]) -> Callable[[TorchEngine, Slots], None]:
        def watched(itself: TorchEngine, slots: Slots) -> None:
            self._read()
            step(itself, slots)
            place = (itself, slots.num_taking_part)
            if any(mark.captured for mark in self._new):
                self._in_graphs[place] = self._new
            elif not self._new:  # a graph was replayed
                self._new = self._in_graphs[place]
            self._read()

        return watched

    def _read(self) -> None:
        torch.cuda.synchronize()
        for mark in self._new:
            self._add(mark.part, mark.start.elapsed_time(mark.end) / 1e3)
        self._new = []
