"""What goes between a repair and the engines: sentences to decode, and the texts that come of them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from mtcli.decoding.search import Sentence


class Scored(Protocol):
    """What a text was made of, and what the model gave it: a hypothesis, or several pieces together."""

    @property
    def tokens(self) -> Sequence[int]:
        """Target ids without end tokens."""

    @property
    def log_prob(self) -> float:
        """Summed natural-log probability, end tokens included."""

    @property
    def num_tokens(self) -> int:
        """Tokens that log_prob sums over."""


Worded = tuple[Scored, str]
"""A translation of a part, and its text."""
Answers = Sequence[Sequence[Worded]]
"""For each sentence that was asked for its translations, the best first."""


class Pieces(NamedTuple):
    """Hold what several pieces were made of; none of what was copied, which no model gave anything."""

    tokens: tuple[int, ...] = ()
    log_prob: float = 0.0
    num_tokens: int = 0

    @classmethod
    def together(cls, pieces: Iterable[Scored]) -> "Pieces":
        """Add them up."""
        whole = list(pieces)
        return cls(
            tuple(token for piece in whole for token in piece.tokens),
            sum(piece.log_prob for piece in whole),
            sum(piece.num_tokens for piece in whole),
        )


COPIED = Pieces()


class Ask(NamedTuple):
    """Ask for sentences to be decoded, one at least, with all hypotheses of the search.

    Attributes:
        sentences: each by itself.
    """

    sentences: Sequence[Sentence]
