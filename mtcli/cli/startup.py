"""What Python and numpy do beside the work while a process starts and ends, kept out of the way of a short command."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_BLAS_THREADS = "OPENBLAS_NUM_THREADS"


@contextmanager
def importing() -> Iterator[None]:
    """Import modules in the block without what would be in vain.

    No search for cycles, since what modules define stays. And no threads for numpy's matrix products, of which none
    are large: they begin to wait, in a loop, for a tenth of a second, on the processors that decoding is about to use.
    """
    was_searching, threads = gc.isenabled(), os.environ.get(_BLAS_THREADS)
    gc.disable()
    os.environ.setdefault(_BLAS_THREADS, "1")
    try:
        yield
    finally:
        if threads is None:
            os.environ.pop(_BLAS_THREADS, None)  # for PyTorch, which may come with a library of the same kind
        if was_searching:
            gc.enable()


def end_without_search() -> None:
    """Let the interpreter end without looking for cycles: what is left is given back with the process.

    Not where PyTorch is loaded, whose companion Triton says on stderr what it finds left.
    """
    if "torch" not in sys.modules:
        gc.freeze()
