"""What stops a contestant on a device, and what ends everything."""

import contextlib
from collections.abc import Iterator

import torch

from mtcli.bench.contest.rounds import ContestantError
from mtcli.errors import is_out_of_memory

KEPT = 300  # characters of an error


class BrokenDeviceError(RuntimeError):
    """A call broke the process's CUDA context: nothing can run in this process any more."""


@contextlib.contextmanager
def told(what: str) -> Iterator[None]:
    """Turn any error within into a `ContestantError`.

    Raises:
        BrokenDeviceError: the device is broken; after an illegal memory access every later call would fail, and look
            wrong itself.
    """
    try:
        yield
    except (ContestantError, BrokenDeviceError):
        raise
    except Exception as error:
        why = f"{type(error).__name__}: {' '.join(str(error).split())[:KEPT]}"
        try:
            if torch.cuda.is_initialized():
                torch.cuda.synchronize()
        except RuntimeError as broken:
            raise BrokenDeviceError(f"{what} broke the CUDA context ({why}).") from broken
        raise ContestantError(why, "out of memory" if is_out_of_memory(error) else "cannot run") from error
