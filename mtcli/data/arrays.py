"""Tokenised text on disk: one flat array of token ids, memory-mapped, so that a corpus may exceed memory."""

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Lengths = npt.NDArray[np.int32]
_BLOCK = 1 << 20  # sentences whose lengths are computed at once


class TokenArray:
    """Sentences as token ids: sentence i is `tokens[offsets[i]:offsets[i + 1]]`."""

    def __init__(self, stem: Path) -> None:
        """Map the files that a `TokenArrayWriter` left at `stem`; nothing is read until it is asked for."""
        self._stem = stem
        self.offsets: IntArray = _map_offsets(stem)
        total = int(self.offsets[-1])
        width = _token_file(stem).stat().st_size // max(1, total)
        dtype = {1: np.uint8, 2: np.uint16}.get(width, np.int32)
        # An empty file cannot be mapped.
        self._tokens: npt.NDArray[Any] = (
            np.asarray(np.memmap(_token_file(stem), dtype=dtype, mode="r")) if total else np.zeros(0, dtype)
        )
        self._lengths: Lengths | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> IntArray:
        return self.stored(index).astype(np.int64)

    def stored(self, index: int) -> npt.NDArray[Any]:
        """Sentence `index` as it lies in the file, [length]."""
        return self._tokens[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> Lengths:
        """[number of sentences] int32, tokens of each; made once, and then kept."""
        if self._lengths is None:
            # A map of its own: what it has read leaves memory with it.
            offsets = _map_offsets(self._stem)
            lengths = np.empty(len(self), np.int32)
            for start in range(0, len(self), _BLOCK):
                block = offsets[start : start + _BLOCK + 1]
                lengths[start : start + len(block) - 1] = np.diff(block)
            self._lengths = lengths
        return self._lengths

    def gather(self, indices: IntArray) -> tuple[IntArray, IntArray]:
        """The sentences at these places, one behind the other: tokens [N] and lengths [B], both int64."""
        starts = self.offsets[indices]
        lengths = self.offsets[np.asarray(indices) + 1] - starts
        begins = np.cumsum(lengths) - lengths
        places = np.repeat(starts - begins, lengths) + np.arange(lengths.sum())
        return self._tokens[places].astype(np.int64), lengths


class TokenArrayWriter:
    """Appends sentences to the files a `TokenArray` maps; holds none of them."""

    def __init__(self, stem: Path, vocab_size: int) -> None:
        self._stem, self._dtype = stem, token_dtype(vocab_size)
        self._tokens = _token_file(stem).open("wb")
        # Under another name until it is whole: a writer that failed leaves nothing to load.
        self._unfinished = _offsets_file(stem).with_suffix(".partial")
        self._offsets = self._unfinished.open("wb")
        self._total, self._count = 0, 1
        self._write_header()
        self._offsets.write(np.zeros(1, np.int64).tobytes())

    def append(self, tokens: npt.NDArray[Any], lengths: npt.NDArray[Any]) -> None:
        """Append sentences that lie one behind the other, as `pack` makes them: tokens [N], lengths [B].

        Raises:
            TypeError: the tokens are not of the array's own type.
        """
        if tokens.dtype != self._dtype:
            raise TypeError(f"tokens of {tokens.dtype} do not go into an array of {self._dtype}")
        ends = self._total + np.cumsum(lengths, dtype=np.int64)
        self._tokens.write(tokens.tobytes())
        self._offsets.write(ends.tobytes())
        self._total += len(tokens)
        self._count += len(ends)

    def _write_header(self) -> int:
        # NumPy leaves room for a larger number in it.
        header = {"descr": "<i8", "fortran_order": False, "shape": (self._count,)}
        np.lib.format.write_array_header_1_0(self._offsets, header)
        return self._offsets.tell()

    def __enter__(self) -> "TokenArrayWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tokens.close()
        size = self._offsets.tell()
        self._offsets.seek(0)
        begin = self._write_header()
        self._offsets.close()
        assert begin + 8 * self._count == size, "the header has another length than before"
        if error is None:
            self._unfinished.replace(_offsets_file(self._stem))


def token_dtype(vocab_size: int) -> np.dtype[Any]:
    """The smallest type that an array keeps so many different tokens in."""
    return np.dtype(np.uint8 if vocab_size <= 1 << 8 else np.uint16 if vocab_size <= 1 << 16 else np.int32)


def pack(sentences: Sequence[Iterable[int]], vocab_size: int) -> tuple[npt.NDArray[Any], Lengths]:
    """Lay sentences one behind the other: tokens [N], in the type for so many different ones, and lengths [B].

    Raises:
        OverflowError: a token does not fit the type.
    """
    listed = [list(sentence) for sentence in sentences]
    lengths = np.fromiter(map(len, listed), np.int32, len(listed))
    return np.array(list(chain.from_iterable(listed)), token_dtype(vocab_size)), lengths


def pack_text(texts: Sequence[str]) -> tuple[npt.NDArray[Any], Lengths]:
    """`pack` for text as UTF-8, a byte a token."""
    encoded = [text.encode("utf-8") for text in texts]
    return np.frombuffer(b"".join(encoded), np.uint8), np.fromiter(map(len, encoded), np.int32, len(encoded))


def _map_offsets(stem: Path) -> IntArray:
    return np.asarray(np.load(_offsets_file(stem), mmap_mode="r"))


def _token_file(stem: Path) -> Path:
    return stem.with_name(stem.name + ".tokens")


def _offsets_file(stem: Path) -> Path:
    return stem.with_name(stem.name + ".offsets.npy")
