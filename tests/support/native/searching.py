"""Whole searches by the kernels, from sentences to hypotheses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from support.native.kernels import Kernels
from support.native.networks import PackedNetwork
from support.native.numbers import Operation
from support.native.workspace import ForcedBatch, PackedBatch, PackedRules, slots_for, workspace

from mtcli_native.memory import Array, address, allocate, record, remember
from mtcli_native.packing import Packer
from mtcli_native.records import ADVANCE, CALL, ENCODE, FORCE, LIVE
from mtcli_native.reference.network import Network
from mtcli_native.reference.search import Finished, Rules


@dataclass(frozen=True)
class Outcome:
    """What became of a sentence: its status, and its finished hypotheses, best first."""

    status: int
    finished: list[Finished]


class NativeSearch:
    """Slots for so many sentences, in memory that holds nothing but what the kernels put there.

    Attributes:
        slots, work: the arenas.
    """

    def __init__(
        self,
        kernels: Kernels,
        network: Network,
        rules: Rules,
        *,
        slots: int,
        longest_source: int,
        steps: int,
        tokens: int | None = None,
        fill: int = 0xFF,
    ) -> None:
        """Prepare to search.

        Args:
            steps: tokens that an output may have.
            tokens: source tokens that are encoded at once; by default the longest source for each slot.
            fill: the byte that memory is full of beforehand.
        """
        self._kernels, self._packer, self._rules = kernels, Packer(kernels.target), rules
        self.network, self._packed_rules = PackedNetwork(network, self._packer), PackedRules(rules)
        self.slots = slots_for(slots, rules.beam, steps)
        self.work = workspace(
            tokens or slots * longest_source,
            width=self.network.width,
            widest=self.network.widest,
            entries=max(longest_source, steps),
            heads=max(network.encoder.heads, network.decoder.heads),
            slots=slots,
            beam=rules.beam,
            steps=steps,
        )
        decoder = self.network.record["decoder"]
        size = int(decoder["num_layers"][0]) * self.network.entry(decoder)
        self._pasts = [allocate(steps * rules.beam * size, np.uint8) for _ in range(slots)]
        self._memories = [allocate(longest_source * size, np.uint8) for _ in range(slots)]
        for array in (*self.work.arrays.values(), *self.slots.arrays.values(), *self._pasts, *self._memories):
            array.view(np.uint8).fill(fill)
        arrays = self.slots.arrays
        arrays["status"][:], arrays["past_room"][:] = 0, steps
        arrays["past"][:] = [address(array) for array in self._pasts]
        arrays["memory"][:] = [address(array) for array in self._memories]
        for arena in (self.slots, self.work):
            remember(arena.record)

    def begin(self, sources: Sequence[Sequence[int]], max_tokens: Sequence[int], slots: Sequence[int]) -> None:
        """Let sentences of token ids into slots."""
        batch = PackedBatch(sources, slots, [self._memories[slot] for slot in slots])
        self.slots.arrays["max_tokens"][list(slots)] = max_tokens
        self._call(ENCODE, p_batch=address(batch.record))

    def advance(self, *, most_row_steps: int = 1 << 40, enough_done: int = 1 << 40) -> Array:
        """Take all on; returns the CALL record with what was done."""
        return self._call(ADVANCE, most_row_steps=most_row_steps, enough_done=enough_done)

    def force(
        self, sources: Sequence[Sequence[int]], inputs: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]
    ) -> ForcedBatch:
        """Decode given targets, as many sentences as there are slots at most."""
        layers = int(self.network.record["decoder"]["num_layers"][0])
        batch = ForcedBatch(sources, self._memories[: len(sources)], inputs, targets, layers)
        self._call(FORCE, p_batch=address(batch.record))
        return batch

    def outcome(self, slot: int) -> Outcome:
        """What became of the sentence in a slot."""
        arrays, found = self.slots.arrays, []
        for rank in range(self._rules.n_best):
            score = arrays["finished_scores"][slot, rank]
            if score > -np.inf:
                steps = arrays["finished_steps"][slot, rank]
                tokens = tuple(arrays["outputs"][slot, rank, : steps - 1].tolist())
                found.append(Finished(tokens, arrays["finished_log_probs"][slot, rank], score))
        return Outcome(int(arrays["status"][slot]), found)

    @property
    def num_live(self) -> int:
        """Sentences in work."""
        return int((self.slots.arrays["status"] == LIVE).sum())

    def _call(self, command: int, **fields: int) -> Array:
        call = remember(
            record(
                CALL,
                command=command,
                p_network=address(self.network.record),
                p_rules=address(self._packed_rules.record),
                p_slots=self.slots.address,
                p_work=self.work.address,
                **fields,
            )
        )
        if self._kernels.target.is_checked:
            self._kernels.announce()
        self._kernels(Operation.RUN, call)
        return call
