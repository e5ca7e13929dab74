"""torch.compile as a contestant."""

import os
from collections.abc import Callable
from typing import Any

import torch

SECONDS = 90.0  # with less time left than this it is left out: it takes up to half a minute for one shape


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function compiled for exactly these shapes; in Triton's interpreter, without the code generator."""
    backend = "aot_eager" if os.environ.get("TRITON_INTERPRET") == "1" else "inductor"
    return torch.compile(function, dynamic=False, backend=backend)
