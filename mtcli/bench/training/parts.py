"""Where the time of mtcli's update goes on a GPU: events between its parts, which nothing waits for."""

import contextlib
import statistics
import time
from collections import defaultdict
from typing import Any, Self
from unittest import mock

import torch

from mtcli.bench.roofline.transformer_cost import BACKWARD, FORWARD_DECODER, FORWARD_ENCODER, LOSS, OPTIMIZER
from mtcli.model.transformer import Transformer
from mtcli.training.step import TrainingStep

PARTS = (FORWARD_ENCODER, FORWARD_DECODER, LOSS, BACKWARD, OPTIMIZER)


class Parts:
    """Marks the ends of an update's parts while it is entered; each part holds what came before it, too.

    Gradients that the loss computes on its way forward count as forward.
    """

    def __init__(self, network: Transformer, step: TrainingStep, device: torch.device) -> None:
        self._step, self._on_gpu = step, device.type == "cuda"
        self._modules = {FORWARD_ENCODER: network.encoder, FORWARD_DECODER: network.decoder, LOSS: step._loss}
        self._marks: list[tuple[str, Any]] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        for part, module in self._modules.items():
            hook = module.register_forward_hook(lambda *_, part=part: self._mark(part))
            self._stack.callback(hook.remove)
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
        self._mark(OPTIMIZER)

    def _mark(self, part: str) -> None:
        self._marks.append((part, self._now()))

    def _now(self) -> Any:
        if not self._on_gpu:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def medians(self) -> dict[str, float]:
        """Seconds of each part over all updates; waits for the device."""
        if self._on_gpu:
            torch.cuda.synchronize()
        taken: dict[str, list[float]] = defaultdict(list)
        for (_, start), (part, end) in zip(self._marks, self._marks[1:], strict=False):
            if part:
                taken[part].append(start.elapsed_time(end) / 1e3 if self._on_gpu else end - start)
        return {part: statistics.median(taken[part]) for part in PARTS}
