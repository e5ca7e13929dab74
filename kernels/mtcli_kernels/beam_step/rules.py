"""What a beam search may write, and how it ranks what it has finished.

Axes: V vocabulary, T most steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import torch
import torch.nn.functional as F
from torch import Tensor

from mtcli_kernels.beam_step.state import check_range


class Stop(IntEnum):
    """When a slot is done, beside when its n_best are certain or nothing lives on.

    FULL: K hypotheses have finished. ESTIMATE: that, and the best that lives, were it to end now, would not pass the
    last of them. CERTAIN: never before.
    """

    FULL = 0
    ESTIMATE = 1
    CERTAIN = 2


@dataclass(frozen=True, eq=False, kw_only=True)
class BeamRules:
    """What may be generated, and how finished hypotheses are ranked.

    Attributes:
        eos_id: the token that ends a sentence.
        banned: [V] bool, tokens never generated; they keep their share of the probability.
        length_norms: [more than T] float32, length_norms[n] = n ** length_penalty: computed once, so that every
            implementation divides by the same numbers.
        min_tokens: the end token may not be among so many first tokens.
        n_best: how many finished hypotheses of a slot will be asked for, from 1 to the beam; a search may stop as
            soon as they are certain.
        stop: when a search ends before that.
        free_end: an end token that a slot is made to write, because its longest output is reached, costs nothing.
    """

    eos_id: int
    banned: Tensor
    length_norms: Tensor
    min_tokens: int = 1
    n_best: int = 1
    stop: Stop = Stop.FULL
    free_end: bool = False
    _withheld: dict[int, "Withheld"] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.banned.dim() != 1 or self.banned.dtype != torch.bool:
            raise ValueError(f"expected banned [V] bool; got {list(self.banned.shape)} of {self.banned.dtype}.")
        if self.length_norms.dim() != 1 or self.length_norms.dtype != torch.float32:
            raise ValueError(
                f"expected length_norms [N] float32; got {list(self.length_norms.shape)} of {self.length_norms.dtype}."
            )
        if not 0 <= self.eos_id < self.vocab_size:
            raise ValueError(f"eos_id = {self.eos_id} is not one of the {self.vocab_size} tokens.")
        if self.n_best < 1:
            raise ValueError(f"a search is asked for at least 1 hypothesis; got n_best = {self.n_best}.")

    @property
    def vocab_size(self) -> int:
        return self.banned.shape[0]

    @classmethod
    def of(
        cls,
        *,
        vocab_size: int,
        eos_id: int,
        max_steps: int,
        length_penalty: float,
        banned: Sequence[int] = (),
        min_tokens: int = 1,
        n_best: int = 1,
        stop: Stop = Stop.FULL,
        free_end: bool = False,
        device: torch.device | str = "cpu",
    ) -> "BeamRules":
        """Rules for states with room for `max_steps` steps.

        Args:
            vocab_size: V.
            length_penalty: exponent of the length, in tokens with the end token, in a hypothesis's score; 0 or more.
            banned: ids of the tokens never generated.
            eos_id, max_steps, min_tokens, n_best, stop, free_end: as above.
            device: where the logits and the state are.

        Raises:
            ValueError: a number out of its range.
        """
        if not length_penalty >= 0:
            raise ValueError(
                f"expected a length_penalty of 0 or more; got {length_penalty}: the search stops by a bound that only "
                "holds where a longer output divides by more."
            )
        check_range("banned", banned, 0, vocab_size - 1)
        mask = torch.zeros(vocab_size, dtype=torch.bool)
        mask[list(banned)] = True
        norms = [float(max(n, 1)) ** length_penalty for n in range(max_steps + 1)]
        return cls(
            eos_id=eos_id,
            banned=mask.to(device),
            length_norms=torch.tensor(norms, dtype=torch.float64).to(torch.float32).to(device),
            min_tokens=min_tokens,
            n_best=n_best,
            stop=stop,
            free_end=free_end,
        )

    def withheld(self, block: int) -> "Withheld":
        """Where the banned tokens and the end token are, in blocks of `block` ids; computed once."""
        if block not in self._withheld:
            self._withheld[block] = Withheld.of(self, block)
        return self._withheld[block]


@dataclass(frozen=True, eq=False)
class Withheld:
    """The tokens that are banned, or the end token, by blocks of ids.

    Attributes:
        mask: [blocks of the vocabulary, block] bool: which ids are withheld, or behind the vocabulary.
        blocks: [n] int64: the blocks that hold any.
        ids: [n * block] int64: all ids of those blocks; the last of the vocabulary stands for those behind it.
        here: [n * block] bool: which of those are withheld.
    """

    mask: Tensor
    blocks: Tensor
    ids: Tensor
    here: Tensor

    @classmethod
    def of(cls, rules: BeamRules, block: int) -> "Withheld":
        mask = F.pad(rules.banned, (0, -rules.vocab_size % block), value=True)
        mask[rules.eos_id] = True
        mask = mask.view(-1, block)
        blocks = mask.any(1).nonzero().view(-1)
        ids = (blocks[:, None] * block + torch.arange(block, device=mask.device)).view(-1)
        return cls(mask, blocks, ids.clamp(max=rules.vocab_size - 1), mask[blocks].view(-1))
