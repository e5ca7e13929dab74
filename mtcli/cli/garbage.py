"""Python's search for cycles among its objects, kept out of the start and the end of a process: it finds nothing there.

What modules define stays, and what is left at the end is given back with the process. Of a short command both searches
take an eighth of the time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_search() -> Iterator[None]:
    """Look for no cycles while the block imports modules."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def end_without_search() -> None:
    """Let the interpreter end without looking for cycles among all that there is."""
    gc.freeze()
