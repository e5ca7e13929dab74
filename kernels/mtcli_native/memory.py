"""The memory that compiled code works in: named arrays, laid out once, and the record that tells their addresses.

All of it belongs to Python. Between arrays lie guard zones; new memory is full of not-a-number, so that what is read
before it was written shows. The checked build is told of every array (`announced`), and ends the process at the first
access outside all of them. No numba here.
"""

import contextlib
import math
import mmap
import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np

ALIGNMENT = 64
_GUARD = 64  # bytes between arrays
_known: "weakref.WeakValueDictionary[int, np.ndarray[Any, Any]]" = weakref.WeakValueDictionary()
_numbers = iter(range(1 << 62))
Array = np.ndarray[Any, Any]


def allocate(shape: tuple[int, ...] | int, dtype: Any, *, poisoned: bool = True) -> Array:
    """Make an array that begins on a cache line, in memory of its own.

    Raises:
        MemoryError: there is not so much.
    """
    kind, shape = np.dtype(dtype), (shape,) if isinstance(shape, int) else shape
    size = math.prod(shape) * kind.itemsize
    raw = np.empty(size + ALIGNMENT + 2 * _GUARD, np.uint8)
    first = _GUARD + -(raw.ctypes.data + _GUARD) % ALIGNMENT
    if poisoned:
        raw.fill(0xFF)
    array = raw[first : first + size].view(kind).reshape(shape)
    return remember(array)


class LargePages:
    """Gives out memory for what stays, such as weights, piece by piece from large blocks.

    The system is asked for pages of 2 MiB where it has them: with pages of 4 KiB a processor looks up more addresses
    than it can keep, and a step that reads all weights waits for that.
    """

    _BLOCK = 64 << 20  # of addresses: memory is taken when it is written to
    _PAGE = 2 << 20

    def __init__(self) -> None:
        """Begin without memory."""
        self._left = np.empty(0, np.uint8)

    def allocate(self, shape: tuple[int, ...] | int, dtype: Any) -> Array:
        """Make an array that begins on a cache line, of zeros.

        Raises:
            MemoryError: there is not so much.
        """
        kind, shape = np.dtype(dtype), (shape,) if isinstance(shape, int) else shape
        size = math.prod(shape) * kind.itemsize
        room = -(-(size + _GUARD) // ALIGNMENT) * ALIGNMENT
        if room > self._left.size:
            self._left = _zeros_in_large_pages(max(room, self._BLOCK), self._PAGE)
        array = self._left[:size].view(kind).reshape(shape)
        self._left = self._left[room:]
        return remember(array)


def _zeros_in_large_pages(size: int, page: int) -> Array:
    try:
        block = mmap.mmap(-1, size + page)
    except OSError as error:
        raise MemoryError(f"no {size >> 20} MiB of memory for weights") from error
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a system that has none
            block.madvise(mmap.MADV_HUGEPAGE)
    whole = np.frombuffer(block, np.uint8)
    return whole[-whole.ctypes.data % page :][:size]


def remember(array: Array) -> Array:
    """Note memory that compiled code may use, as long as the array lives; returns the array."""
    _known[next(_numbers)] = array
    return array


def announced() -> Array:
    """The table of all memory that may be used, for a checked build: how many, then (start, end) of each, int64."""
    spans = [(array.ctypes.data, array.ctypes.data + array.nbytes) for array in list(_known.values())]
    return np.array([len(spans), *(edge for span in spans for edge in span)], np.int64)


def address(array: Array) -> int:
    """Where a contiguous array begins."""
    if not array.flags.c_contiguous:
        raise ValueError("expected a contiguous array")
    # Both tell the same; which of them takes longer depends on the type
    return int(array.ctypes.data if array.dtype.names else array.__array_interface__["data"][0])


def record(dtype: Any, **fields: Any) -> Array:
    """A record [1] with these fields, the others 0."""
    made = np.zeros(1, dtype)
    for name, value in fields.items():
        made[name] = value
    return made


class Arena:
    """Arrays by name, and the record that holds the address of array `x` as `p_x`.

    Attributes:
        arrays: by name.
        record: [1], of the type it was made for.
        address: of the record.
    """

    def __init__(self, dtype: Any, arrays: Mapping[str, tuple[Any, tuple[int, ...]]], **numbers: int) -> None:
        """Lay out arrays given as name: (dtype, shape); `numbers` are the record's other fields.

        Raises:
            MemoryError: there is not so much memory.
        """
        self.arrays = {name: allocate(shape, kind) for name, (kind, shape) in arrays.items()}
        addresses = {f"p_{name}": address(array) for name, array in self.arrays.items()}
        self.record = record(dtype, **addresses, **numbers)
        self.address = address(self.record)
        if missing := {name for name in dtype.names if name not in addresses and name not in numbers}:
            raise ValueError(f"the layout lacks {', '.join(sorted(missing))}")

    @property
    def num_bytes(self) -> int:
        """Of all arrays."""
        return sum(array.nbytes for array in self.arrays.values())
