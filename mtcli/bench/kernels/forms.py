"""Which forms of an operation meet on a device, by name, and at what size."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import torch

from mtcli.bench.record.rows import EAGER, OURS
from mtcli_kernels.dispatch import triton_obstacle


class Setting(Protocol):
    """What an operation must know to say which cases there are."""

    @property
    def torch_device(self) -> str:
        """cpu, cuda or cuda:N."""

    @property
    def toy(self) -> bool:
        """Whether all is small, to see that it runs at all."""

    @property
    def seed(self) -> int:
        """Of everything random."""

    def left(self) -> float:
        """Seconds until all must have ended."""


class Size(Enum):
    """How large an operation's cases are."""

    TOY = "toy"
    CPU = "cpu"
    GPU = "gpu"

    @classmethod
    def of(cls, setting: Setting) -> "Size":
        if setting.toy:
            return cls.TOY
        return cls.GPU if setting.torch_device.startswith("cuda") else cls.CPU


@dataclass(frozen=True)
class Lineup:
    """mtcli's forms that take part; what else does, the operations know. Both names are values of `impl`.

    Attributes:
        ours: what mtcli takes on the device.
        plain: what it is checked against: its error sets the limit.
    """

    ours: str
    plain: str

    @property
    def forms(self) -> tuple[str, str]:
        return self.ours, self.plain


KERNELS = Lineup(OURS, EAGER)  # also in Triton's interpreter, where no timing means anything
ON_CPU = Lineup(EAGER, "reference")  # what is plain elsewhere is the fast form here, and checked by the definition
OLD_GPU = Lineup("auto", EAGER)  # where the kernels cannot run: `sdpa` for attention, `padded` for the rest


def lineup_on(torch_device: str) -> Lineup:
    """Who takes part on a device, by what mtcli takes there."""
    device = torch.device(torch_device)
    if triton_obstacle(device, torch.float32) is None:
        return KERNELS
    return ON_CPU if device.type == "cpu" else OLD_GPU


def exact_form(device: torch.device) -> tuple[str, torch.dtype]:
    """The form and number type that give the exact outputs.

    On a CPU the definition in float64. On a GPU that takes too long at full size: there it is the plain form in
    float32, which the kernels' tests hold against the definition.
    """
    return ("reference", torch.float64) if device.type == "cpu" else (EAGER, torch.float32)
