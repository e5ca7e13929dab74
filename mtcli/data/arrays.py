"""Tokenised text on disk: one flat array of token ids, memory-mapped, so that a corpus may exceed memory."""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


class TokenArray:
    """Sentences as token ids: sentence i is `tokens[offsets[i]:offsets[i + 1]]`."""

    def __init__(self, stem: Path) -> None:
        """Map the files that a `TokenArrayWriter` left at `stem`; nothing is read until it is asked for."""
        self.offsets: IntArray = np.load(_offsets_file(stem))
        width = _token_file(stem).stat().st_size // max(1, int(self.offsets[-1]))
        dtype = np.uint16 if width == 2 else np.int32
        # An empty file cannot be mapped.
        self._tokens = np.memmap(_token_file(stem), dtype=dtype, mode="r") if self.offsets[-1] else np.zeros(0, dtype)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> IntArray:
        return self._tokens[self.offsets[index] : self.offsets[index + 1]].astype(np.int64)

    @property
    def lengths(self) -> IntArray:
        """[number of sentences] tokens of each."""
        return np.diff(self.offsets)

    def gather(self, indices: IntArray) -> list[IntArray]:
        """The sentences at these places, each [length] int64."""
        return [self[int(index)] for index in indices]


class TokenArrayWriter:
    """Appends sentences to the files a `TokenArray` maps."""

    def __init__(self, stem: Path, vocab_size: int) -> None:
        self._stem = stem
        self._dtype = np.uint16 if vocab_size <= 1 << 16 else np.int32
        self._tokens = _token_file(stem).open("wb")
        self._lengths: list[int] = []

    def extend(self, sentences: Iterable[list[int]]) -> None:
        """Append sentences of token ids."""
        for sentence in sentences:
            self._tokens.write(np.asarray(sentence, dtype=self._dtype).tobytes())
            self._lengths.append(len(sentence))

    def __enter__(self) -> "TokenArrayWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tokens.close()
        if error is None:
            np.save(_offsets_file(self._stem), np.concatenate([[0], np.cumsum(self._lengths, dtype=np.int64)]))


def _token_file(stem: Path) -> Path:
    return stem.with_name(stem.name + ".tokens")


def _offsets_file(stem: Path) -> Path:
    return stem.with_name(stem.name + ".offsets.npy")
