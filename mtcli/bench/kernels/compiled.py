"""torch.compile as a contestant."""

from collections.abc import Callable
from typing import Any

import torch

from mtcli.bench.kernels.forms import Setting, Size
from mtcli_kernels.dispatch import is_interpreting

SECONDS = 90.0  # with less time left than this it is left out: it takes up to half a minute for one shape


def takes_part(setting: Setting) -> bool:
    """Whether there is time for it; on a CPU only to try it out in Triton's interpreter."""
    return (Size.of(setting) == Size.GPU or is_interpreting()) and setting.left() > SECONDS


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function compiled for exactly these shapes; in Triton's interpreter, without the code generator."""
    backend = "aot_eager" if is_interpreting() else "inductor"
    return torch.compile(function, dynamic=False, backend=backend)
