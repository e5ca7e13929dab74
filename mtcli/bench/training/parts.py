"""Where the time of mtcli's update goes on a GPU: events between its parts, which nothing waits for."""

import contextlib
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Self
from unittest import mock

import torch
from torch import nn

from mtcli.model.transformer import Transformer
from mtcli.training.step import TrainingStep

ENCODER, DECODER, LOSS = "forward: encoder", "forward: decoder", "forward: output and loss"
BACKWARD, UPDATE = "backward", "clipping and optimizer"
PARTS = (ENCODER, DECODER, LOSS, BACKWARD, UPDATE)


class Parts:
    """Marks the ends of an update's parts while it is entered; each part holds what came before it, too.

    Gradients that the loss computes on its way forward count as forward.
    """

    def __init__(self, network: Transformer, step: TrainingStep, device: torch.device) -> None:
        self._network, self._step, self._on_gpu = network, step, device.type == "cuda"
        self._marks: list[tuple[str, Any]] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        for module, part in ((self._network.encoder, ENCODER), (self._network.decoder, DECODER)):
            self._stack.callback(_marked_after(module, lambda part=part: self._mark(part)).remove)  # type: ignore[misc]
        loss = self._step._loss
        self._stack.callback(_marked_after(loss, lambda: self._mark(LOSS)).remove)
        update = self._step._update

        def marked(rate: float) -> None:
            self._mark(BACKWARD)
            update(rate)

        self._stack.enter_context(mock.patch.object(self._step, "_update", marked))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def begin(self) -> None:
        """Called before an update."""
        self._mark("")

    def end(self) -> None:
        """Called after an update."""
        self._mark(UPDATE)

    def _mark(self, part: str) -> None:
        self._marks.append((part, self._now()))

    def _now(self) -> Any:
        if not self._on_gpu:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def medians(self) -> dict[str, float]:
        """Milliseconds of each part over all updates; waits for the device."""
        if self._on_gpu:
            torch.cuda.synchronize()
        taken: dict[str, list[float]] = defaultdict(list)
        for (_, start), (part, end) in zip(self._marks, self._marks[1:], strict=False):
            if part:
                taken[part].append(start.elapsed_time(end) if self._on_gpu else 1e3 * (end - start))
        return {part: statistics.median(taken[part]) for part in PARTS}


def _marked_after(module: nn.Module, mark: Callable[[], None]) -> torch.utils.hooks.RemovableHandle:
    return module.register_forward_hook(lambda *_: mark())
