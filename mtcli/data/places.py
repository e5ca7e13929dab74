"""Where a training pair came from: file and line."""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
import numpy.typing as npt


class Places:
    """Tells of each pair of a prepared corpus which line of which file it was."""

    def __init__(self, names: Sequence[str], num_pairs: Sequence[int], lines: npt.NDArray[np.uint32]) -> None:
        """Keep what is needed.

        Args:
            names: of the files, in reading order; of two sides the source's.
            num_pairs: how many pairs of each were kept.
            lines: [all pairs kept] line number of each in its file, from 1.
        """
        self._names, self._ends, self._lines = names, list(accumulate(num_pairs)), lines

    def __getitem__(self, index: int) -> str:
        """`file:line` of the pair at this place."""
        return f"{self._names[bisect(self._ends, index)]}:{self._lines[index]}"


def map_lines(path: Path) -> npt.NDArray[np.uint32]:
    """The line numbers in a file, mapped; it may not be empty."""
    return np.asarray(np.memmap(path, dtype=np.uint32, mode="r"))
