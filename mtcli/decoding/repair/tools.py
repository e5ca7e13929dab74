"""What the steps of a repair work with."""

from collections.abc import Callable
from dataclasses import dataclass

from mtcli.data.tokenizer import Tokenizer
from mtcli.decoding.repair.faults import Faults, copied_weight
from mtcli.decoding.search import Sentence


@dataclass(frozen=True)
class PartTools:
    """Weigh texts, and make sentences of others, for one part of a line.

    Attributes:
        faults: what finds faults.
        tokenizer: the source's.
        sentence_of: from token ids without an end token to what is decoded; None where they are too many.
        lead: what belongs before each piece of the line.
    """

    faults: Faults
    tokenizer: Tokenizer
    sentence_of: Callable[[list[int]], Sentence | None]
    lead: str

    def sentence(self, text: str) -> Sentence | None:
        """What is decoded for a text."""
        return self.sentence_of(self.tokenizer.encode(self.lead + text))

    def weigh(self, source: str, target: str, *, copied: bool = False) -> int:
        """How grave the faults of a translation are; a copy of what should be translated is one in any languages."""
        weight = self.faults.weigh(source, target)
        return max(weight, copied_weight(source)) if copied else weight
