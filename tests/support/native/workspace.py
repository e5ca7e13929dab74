"""The records that compiled code works in, sized for a test."""

from collections.abc import Sequence

import numpy as np

from mtcli_native.memory import Arena, Array, address, allocate, record, remember
from mtcli_native.packing import padded
from mtcli_native.records import BATCH, GROUP, MATRIX_ROWS, RULES, SLOTS, WORK
from mtcli_native.reference.search import Rules

I64, I32, F32 = np.int64, np.int32, np.float32


def workspace(
    rows: int,
    *,
    width: int = 32,
    widest: int = 32,
    entries: int = 1,
    heads: int = 1,
    slots: int = 1,
    beam: int = 1,
    steps: int = 1,
) -> Arena:
    """A WORK record for so many rows of this width, and searches of so many slots."""
    r, k = max(rows, slots * beam), beam
    return Arena(
        WORK,
        {
            "x": (F32, (r, width)),
            "h": (F32, (r, width)),
            "wide": (F32, (r, widest)),
            "context": (F32, (r, widest)),
            "logits": (F32, (r, GROUP)),
            "integers": (np.int16, (padded(r, MATRIX_ROWS), widest)),
            "scales": (F32, (r,)),
            "addresses": (I64, (padded(entries, 4),)),
            "probs": (F32, (heads * padded(entries, 16),)),
            "row_slots": (I64, (r,)),
            "row_places": (I64, (r,)),
            "row_of": (I64, (slots, k)),
            "best_values": (F32, (r, k + 1)),
            "best_ids": (I64, (r, k + 1)),
            "end_logits": (F32, (r,)),
            "largest": (F32, (r,)),
            "sums": (F32, (r,)),
            "heads": (I64, (k,)),
            "new_log_probs": (F32, (k,)),
            "new_parents": (I64, (k,)),
            "new_tokens": (I64, (k,)),
            "new_ancestry": (I32, (k, steps)),
        },
        max_search_rows=r,
        p_team=0,
    )


def slots_for(slots: int, beam: int, steps: int) -> Arena:
    """A SLOTS record; all slots are free."""
    s, k, t = slots, beam, steps
    arena = Arena(
        SLOTS,
        {
            **dict.fromkeys(("status", "positions", "max_tokens", "source_lengths"), (I64, (s,))),
            **dict.fromkeys(("past", "past_room", "memory"), (I64, (s,))),
            "log_probs": (F32, (s, k)),
            "last_tokens": (I64, (s, k)),
            "ancestry": (I32, (s, k, t)),
            "tokens": (I32, (s, t, k)),
            "parents": (I32, (s, t, k)),
            "finished_scores": (F32, (s, k)),
            "finished_log_probs": (F32, (s, k)),
            "finished_steps": (I64, (s, k)),
            "finished_places": (I64, (s, k)),
            "outputs": (I32, (s, k, t)),
        },
        num_slots=s,
        max_steps=t,
    )
    arena.arrays["status"][:] = 0
    return arena


class PackedRules:
    """A RULES record and the arrays it refers to."""

    def __init__(self, rules: Rules) -> None:
        """Take over a definition's rules."""
        self._norms = _kept(rules.length_norms, F32)
        self._withheld = _kept(np.array(sorted({*rules.banned, rules.eos})), I64)
        names = ("beam", "start", "eos", "min_tokens", "n_best", "stop", "free_end", "renormalize")
        self.record = remember(
            record(
                RULES,
                p_length_norms=address(self._norms),
                p_withheld=address(self._withheld),
                num_withheld=len(self._withheld),
                **{name: getattr(rules, name) for name in names},
            )
        )


class PackedBatch:
    """A BATCH record of sentences for slots, and of what is to be written where it is given."""

    def __init__(
        self, sources: Sequence[Sequence[int]], slots: Sequence[int] = (), memories: Sequence[Array] = ()
    ) -> None:
        """Lay sentences of token ids end to end; `memories` are where their keys and values go."""
        longest = max(map(len, sources))
        self._tokens = _kept(np.concatenate([np.array(source) for source in sources]), I64)
        self._starts = _kept(np.cumsum([0, *map(len, sources)]), I64)
        self._slots = _kept(np.array(slots), I64)
        self._memories = _kept(np.array([address(memory) for memory in memories]), I64)
        self.record = remember(
            record(
                BATCH,
                num_sentences=len(sources),
                p_tokens=address(self._tokens),
                p_starts=address(self._starts),
                p_slots=address(self._slots),
                p_memories=address(self._memories),
                longest=longest,
            )
        )


class ForcedBatch(PackedBatch):
    """A batch with what is to be written, and room for what forced decoding finds.

    Attributes:
        log_probs: [M] of the target tokens, sentence after sentence.
        weights: [layers, M, longest source].
    """

    def __init__(
        self,
        sources: Sequence[Sequence[int]],
        memories: Sequence[Array],
        inputs: Sequence[Sequence[int]],
        targets: Sequence[Sequence[int]],
        layers: int,
    ) -> None:
        """Lay sentences and targets end to end."""
        super().__init__(sources, memories=memories)
        self._inputs, self._targets = (
            _kept(np.concatenate([np.array(x) for x in each]), I64) for each in (inputs, targets)
        )
        self._target_starts = _kept(np.cumsum([0, *map(len, targets)]), I64)
        self.log_probs = allocate(len(self._targets), F32)
        self.weights = allocate((layers, len(self._targets), max(map(len, sources))), F32, poisoned=False)
        self.weights[:] = 0
        fields = {"inputs": self._inputs, "targets": self._targets, "target_starts": self._target_starts}
        for name, array in {**fields, "log_probs": self.log_probs, "weights": self.weights}.items():
            self.record[f"p_{name}"] = address(array)


def in_reach(values: Array) -> Array:
    """A copy, such as of a record, in memory that the kernels may use."""
    made = allocate(values.shape, values.dtype)
    made[:] = values
    return made


def _kept(values: Array, kind: type) -> Array:
    made = allocate(values.shape, kind)
    made[:] = values
    return made
