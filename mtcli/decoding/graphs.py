"""Decoding steps as CUDA graphs, and looks at what they have done that never wait for them.

A step is some hundred small kernels, and launching them one by one takes longer than running them.

A graph repeats a step on the same memory. It is captured for a number of slots when that number comes a second time:
the first time the step runs as it is, and compiles and allocates what it needs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class StepGraphs:
    """The graphs of one engine, by number of slots; they share their memory."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drop all graphs: the memory they read is no longer there."""
        self._seen: set[int] = set()
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}
        self._pool = torch.cuda.graph_pool_handle()

    def run(self, slots: int, step: Callable[[], None]) -> None:
        """Do a step, which must launch the same kernels on the same memory whenever it is done with so many slots."""
        if slots not in self._graphs:
            if slots not in self._seen:
                self._seen.add(slots)
                step()
                return
            graph = torch.cuda.CUDAGraph()
            # Other threads may go on using the GPU meanwhile.
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                step()
            self._graphs[slots] = graph
        self._graphs[slots].replay()


@dataclass(frozen=True)
class Look:
    """What the slots were doing at some moment.

    Attributes:
        clock: the steps done by then.
        status: of each slot that took part, a `SlotStatus`.
    """

    clock: int
    status: list[int]


class Looks(Protocol):
    """Takes looks."""

    def take(self, status: Tensor, clock: int) -> Look:
        """The newest look that is there."""


class ImmediateLooks:
    """What the slots are doing now."""

    def take(self, status: Tensor, clock: int) -> Look:
        return Look(clock, status.tolist())


class DelayedLooks:
    """What the slots were doing one look ago: that copy has long arrived, while the next is on its way."""

    def __init__(self) -> None:
        self._pending: tuple[int, Tensor, torch.cuda.Event | None] | None = None

    def take(self, status: Tensor, clock: int) -> Look:
        before, self._pending = self._pending, (clock, *self._copy(status))
        if before is None:
            return Look(0, [])
        its_clock, copy, arrived = before
        if arrived is not None:
            arrived.synchronize()
        return Look(its_clock, copy.tolist())

    @staticmethod
    def _copy(status: Tensor) -> tuple[Tensor, torch.cuda.Event | None]:
        if status.device.type == "cpu":
            return status.clone(), None
        copy = torch.empty(status.shape, dtype=status.dtype, pin_memory=True)
        copy.copy_(status, non_blocking=True)
        arrived = torch.cuda.Event()
        arrived.record()
        return copy, arrived
