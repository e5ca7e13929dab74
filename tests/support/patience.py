"""How long tests wait for what must happen: so long that only a hang reaches it, never a slow or busy machine."""

import time
from collections.abc import Callable

PATIENCE = 1200.0
"""Seconds after which something that has not happened counts as hung. No test says by it how fast anything is."""


def wait_until(condition: Callable[[], object], *, or_fail: Callable[[], bool] = lambda: False) -> None:
    """Return once a condition holds, looked at again and again.

    Args:
        condition: called until what it returns is true.
        or_fail: whether it cannot come to hold any more, because the process that should bring it about has ended.

    Raises:
        AssertionError: it cannot, or it did not within `PATIENCE`.
    """
    last = time.monotonic() + PATIENCE
    while not condition():
        assert not or_fail() or condition(), "what was waited for cannot happen any more"
        assert time.monotonic() < last, f"what was waited for did not happen in {PATIENCE:.0f} seconds"
        time.sleep(0.005)
