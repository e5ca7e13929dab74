"""Forced decoding: the decoder reads a translation that is given, and says what it thinks of each token.

Scores of given translations and word alignments come from it. Each engine has a way of its own, known by this protocol
alone; `mtcli.decoding.backend.Backend.forced` gives the one of the engine that was chosen.

Axes: T target tokens, S source tokens of a pair.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Tokens = Sequence[Sequence[int]]
"""Token ids of each sentence, ended by its end token."""


class ForcedDecoder(Protocol):
    """Decodes given targets with one model. Not thread-safe."""

    def log_probs(self, sources: Tokens, targets: Tokens, start_id: int) -> list[npt.NDArray[np.float32]]:
        """Find the natural-log probability of each target token.

        Args:
            sources, targets: one a pair; none longer than the network's positions.
            start_id: the decoder's first input.

        Returns:
            [T] float32, one a pair.
        """

    def attention(self, sources: Tokens, targets: Tokens, start_id: int) -> list[npt.NDArray[np.float32]]:
        """Find how much the decoder looked at each source token while it predicted each target token.

        Args:
            sources, targets, start_id: as `log_probs`.

        Returns:
            [layers, T, S] float32, one a pair: averaged over heads; rows sum to 1.
        """
