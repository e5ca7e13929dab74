"""Ranges under PyTorch's profiler: whose part of the time an operation is."""

import functools
from collections.abc import Callable
from typing import Any

from torch.profiler import record_function

MARK = "group: "


def in_range(function: Callable[..., Any], group: str) -> Callable[..., Any]:
    """The function, running inside a range of this group."""

    @functools.wraps(function)
    def wrapped(*arguments: Any, **keywords: Any) -> Any:
        with record_function(MARK + group):
            return function(*arguments, **keywords)

    return wrapped


def ancestors(event: Any) -> list[str]:
    """Names of what a profiler's event happened inside, the innermost first."""
    names = []
    while event.cpu_parent is not None:
        event = event.cpu_parent
        names.append(event.name)
    return names
