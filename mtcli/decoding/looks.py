"""Looking at what slots are doing: at once on a CPU, and on a GPU without ever waiting for the steps just launched."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


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
