"""Weights as the kernels read them: padded, cut into panels, in int8 each output with a unit of its own.

Sizes are padded with zeros: widths to a multiple of 32 numbers (a panel of the widest tile, and whole groups of four),
heads to a multiple of 16, vocabularies to a multiple of 32 with a bias that no token can win with. Only numpy here.

Axes: n outputs, k inputs.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mtcli_native.memory import Array, LargePages, address, record, remember
from mtcli_native.records import EMBEDDING, FLOAT32, INT8_POSITIVE, LINEAR, NORM
from mtcli_native.targets import Target

WIDTH_STEP, HEAD_STEP = 32, 16
NEVER = -1e30  # the logit of a token that does not exist


def padded(size: int, step: int = WIDTH_STEP) -> int:
    """The next multiple."""
    return -(-size // step) * step


def head_width(size: int, heads: int) -> int:
    """Numbers of a head with padding: a multiple of 16, and of all heads together a multiple of 32."""
    width = padded(size, HEAD_STEP)
    return width if width * heads % WIDTH_STEP == 0 else width + HEAD_STEP


def pad_rows(weight: Array, heads: int, width: int) -> Array:
    """[heads x size, k] -> [heads x width, k]: what makes q, k or v, each head with rows of zeros behind it."""
    parts = weight.reshape(heads, -1, *weight.shape[1:])
    room = np.zeros((heads, width, *weight.shape[1:]), np.float32)
    room[:, : parts.shape[1]] = parts
    return room.reshape(heads * width, *weight.shape[1:])


def pad_columns(weight: Array, heads: int, width: int) -> Array:
    """[n, heads x size] -> [n, heads x width]: what reads the heads' values."""
    return np.ascontiguousarray(pad_rows(np.ascontiguousarray(weight.T), heads, width).T)


class Packer:
    """Packs the weights of one network for one target; what it packed lives as long as it does."""

    def __init__(self, target: Target) -> None:
        """Pack for a target."""
        self._target, self._memory = target, LargePages()
        self._kept: list[Array] = []

    def keep(self, array: Array) -> int:
        """Keep an array; returns its address."""
        self._kept.append(array)
        return address(array)

    @property
    def num_bytes(self) -> int:
        """Of all that was packed or kept."""
        return sum(array.nbytes for array in self._kept)

    def table(self, dtype: Any, rows: Sequence[Any]) -> int:
        """Put records one behind the other; returns the address of the first."""
        made = self._memory.allocate(len(rows), dtype)
        for index, row in enumerate(rows):
            made[index] = row
        return self.keep(made)

    def linear(self, weight: Array, bias: Array | None, kind: int = FLOAT32, *, lowest_bias: float = 0.0) -> Array:
        """Pack weight [n, k] and bias [n] float32; returns a LINEAR record.

        Args:
            kind: FLOAT32, INT8 or INT8_POSITIVE.
            lowest_bias: of the outputs that padding adds.
        """
        n, k = padded(weight.shape[0]), padded(weight.shape[1])
        full = np.zeros((n, k), np.float32)
        full[: weight.shape[0], : weight.shape[1]] = weight
        shift = np.full(n, lowest_bias, np.float32)
        shift[: weight.shape[0]] = 0.0 if bias is None else bias
        pack = self._float32 if kind == FLOAT32 else self._int8
        return record(LINEAR, num_inputs=k, num_outputs=n, kind=kind, **pack(full, shift, kind))

    def _float32(self, weight: Array, bias: Array, kind: int) -> dict[str, int]:
        (n, k), panel = weight.shape, self._target.panel
        panels = self._memory.allocate((n // panel, k, panel), np.float32)
        panels[:] = weight.reshape(n // panel, panel, k).transpose(0, 2, 1)
        return {"p_weights": self.keep(panels), "p_start": self._copy(bias)}

    def _int8(self, weight: Array, bias: Array, kind: int) -> dict[str, int]:
        (n, k), panel, group = weight.shape, self._target.panel, self._target.int8.group
        units, integers = quantised(weight)
        panels = self._memory.allocate((n // panel, k // group, panel, group), np.int8)
        panels[:] = integers.reshape(n // panel, panel, k // group, group).transpose(0, 2, 1, 3)
        zero = self._target.int8.positive_zero if kind == INT8_POSITIVE else self._target.int8.zero
        start = -zero * integers.sum(1, dtype=np.int32)
        arrays = {"p_start": start.astype(np.int32), "p_scales": units, "p_bias": bias}
        return {"p_weights": self.keep(panels), **{name: self._copy(array) for name, array in arrays.items()}}

    def norm(self, gain: Array, shift: Array) -> Array:
        """Pack the two vectors [d] of LayerNorm; returns a NORM record."""
        vectors = {"p_gain": gain, "p_shift": shift}
        kept = {name: self._copy(np.pad(x, (0, padded(len(x)) - len(x)))) for name, x in vectors.items()}
        return record(NORM, width=len(gain), **kept)

    def embedding(self, tokens: Array, positions: Array, scale: float) -> Array:
        """Pack vectors [V, d] and [positions, d]; returns an EMBEDDING record.

        What needs no padding and is float32 stays where it is, such as in a file that is mapped into memory.
        """
        kept = {"p_tokens": self._rows(tokens), "p_positions": self._rows(positions)}
        return record(EMBEDDING, scale=scale, **kept)

    def _rows(self, vectors: Array) -> int:
        count, width = vectors.shape
        if width == padded(width) and vectors.dtype == np.float32 and vectors.flags.c_contiguous:
            return self.keep(remember(vectors))
        room = self._memory.allocate((count, padded(width)), np.float32)
        room[:, :width] = vectors
        return self.keep(room)

    def _copy(self, array: Array) -> int:
        copy = self._memory.allocate(array.shape, array.dtype)
        copy[:] = array
        return self.keep(copy)


def quantised(weight: Array) -> tuple[Array, Array]:
    """Units [n] float32 and integers [n, k] int8 from -127 to 127, so that weight is about units x integers."""
    units = (np.maximum(np.abs(weight).max(1), 1e-10) / 127.0).astype(np.float32)
    with np.errstate(invalid="ignore"):  # what is no number shows in its unit
        return units, np.rint(weight / units[:, None]).astype(np.int8)
