"""The slots of the CPU's engine: which sentence is in which, and the memory that belongs to each.

A slot's caches are its own: the keys and values of its source, and those of its hypotheses step by step, which grow by
doubling. What all slots share is the state of their searches (SLOTS in kernels/mtcli_native/records.py).

Axes: S slots, K beam, T steps.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from mtcli.decoding.engines import Outcome
from mtcli.decoding.engines.native_network import PackedNetwork
from mtcli.decoding.search import Hypothesis, SearchOptions, Task
from mtcli.errors import MtcliError
from mtcli_native.memory import Arena, Array, address, allocate
from mtcli_native.records import CERTAIN, DONE, ESTIMATE, FREE, FULL, LIVE, NOT_A_NUMBER, RULES, SLOTS

_FIRST_STEPS = 16  # that a slot has room for at first
_FIRST_OUTPUTS = 64  # tokens of the longest output that the state has room for at first
_STOPS = {"full": FULL, "estimate": ESTIMATE, "certain": CERTAIN}
Found = list[tuple[list[int], float]]
"""Of a sentence, best first: token ids without the end token, and the log-probability."""


class NativeSlots:
    """Sentences in work and their memory.

    Attributes:
        num_live: slots that hold a sentence.
        max_steps: the longest output that the searches' state has room for.
    """

    def __init__(self, network: PackedNetwork, options: SearchOptions, num_slots: int) -> None:
        """Prepare slots without sentences."""
        self._network, self._options, self._num_slots = network, options, num_slots
        self.num_live = self._longest_source = 0
        self._tasks: list[Task | None] = [None] * num_slots
        self._past: list[Array] = [allocate(0, np.float32)] * num_slots
        self._memory: list[Array] = [allocate(0, np.float32)] * num_slots
        self._state, self._rules = self._new_state(_FIRST_OUTPUTS), _rules(options, _FIRST_OUTPUTS)
        self._state.arrays["status"][:] = FREE
        self._state.arrays["past_room"][:] = 0
        self.max_steps = _FIRST_OUTPUTS

    @property
    def tasks(self) -> list[Task]:
        """The sentences in work."""
        return [task for task in self._tasks if task is not None]

    @property
    def address(self) -> int:
        """Of the SLOTS record."""
        return self._state.address

    @property
    def rules_address(self) -> int:
        """Of the RULES record."""
        return self._rules.address

    @property
    def longest_attended(self) -> int:
        """Entries that a step may attend to, at most."""
        return max(self.max_steps, self._longest_source)

    def place(self, tasks: Sequence[Task]) -> list[int]:
        """Give sentences free slots, with memory for their sources; returns the slots.

        Raises:
            MemoryError: there is not so much.
        """
        if (steps := max(task.max_tokens for task in tasks)) > self.max_steps:
            self._grow_state(1 << (steps - 1).bit_length())
        self._longest_source = max(self._longest_source, max(len(task.source) for task in tasks))
        chosen = [slot for slot, task in enumerate(self._tasks) if task is None][: len(tasks)]
        arrays = self._state.arrays
        for slot, task in zip(chosen, tasks, strict=True):
            size = len(task.source) * self._network.cross_entry_bytes // 4
            if self._memory[slot].size < size:
                self._memory[slot] = allocate(size, np.float32, poisoned=False)
                arrays["memory"][slot] = address(self._memory[slot])
            self._tasks[slot] = task
        arrays["max_tokens"][chosen] = [task.max_tokens for task in tasks]
        self.num_live += len(chosen)
        return chosen

    def memories(self, slots: Sequence[int]) -> Array:
        """[slots] int64: where their keys and values of the source lie."""
        found: Array = self._state.arrays["memory"][list(slots)]
        return found

    def make_room(self) -> None:
        """Have room for one more step in each slot, and as a rule for many.

        Raises:
            MemoryError: there is not so much.
        """
        arrays = self._state.arrays
        full = np.flatnonzero((arrays["status"] == LIVE) & (arrays["positions"] >= arrays["past_room"]))
        for slot in full.tolist():
            room = int(arrays["past_room"][slot])
            steps = 2 * room if room else _FIRST_STEPS
            larger = allocate(steps * self._step_numbers, np.float32, poisoned=False)
            larger[: self._past[slot].size] = self._past[slot]
            self._past[slot] = larger
            arrays["past"][slot], arrays["past_room"][slot] = address(larger), steps

    @property
    def _step_numbers(self) -> int:
        """float32 numbers that a step of one slot puts down."""
        layers, beam = self._network.config.decoder_layers, self._options.beam_size
        return layers * beam * self._network.entry_bytes // 4

    def collect(
        self, hypotheses: Callable[[Found], list[Hypothesis]], failure: Callable[[], MtcliError]
    ) -> list[Outcome]:
        """Free the slots whose sentences are done; returns these with their hypotheses, or what went wrong."""
        status = self._state.arrays["status"]
        done = np.flatnonzero(status >= DONE)
        broken = (status[done] == NOT_A_NUMBER).tolist()
        outcomes: list[Outcome] = []
        for slot, found, is_broken in zip(done.tolist(), self._found(done), broken, strict=True):
            task = self._tasks[slot]
            assert task is not None
            outcomes.append((task, failure() if is_broken else hypotheses(found)))
            self._free(slot)
        return outcomes

    def _found(self, slots: npt.NDArray[np.intp]) -> list[Found]:
        arrays, n_best = self._state.arrays, self._options.n_best
        lengths = arrays["finished_steps"][slots, :n_best]
        kept = arrays["finished_scores"][slots, :n_best] > -np.inf
        longest = int(lengths.max(initial=1, where=kept))
        outputs = arrays["outputs"][slots, :n_best, : longest - 1]
        columns = (arrays["finished_log_probs"][slots, :n_best], lengths, kept, outputs)
        return [
            [
                (tokens[: length - 1], log_prob)
                for log_prob, length, is_kept, tokens in zip(*ranks, strict=True)
                if is_kept
            ]
            for ranks in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def drop(self, is_unwanted: Callable[[Task], bool]) -> None:
        """Free the slots of some sentences."""
        for slot, task in enumerate(self._tasks):
            if task is not None and is_unwanted(task):
                self._free(slot)

    def _free(self, slot: int) -> None:
        self._tasks[slot] = None
        self._state.arrays["status"][slot] = FREE
        self.num_live -= 1

    def _grow_state(self, max_steps: int) -> None:
        """Make room for outputs of so many tokens; what there is stays."""
        larger = self._new_state(max_steps)
        for name, array in self._state.arrays.items():
            larger.arrays[name][tuple(slice(size) for size in array.shape)] = array
        self._state, self._rules, self.max_steps = larger, _rules(self._options, max_steps), max_steps

    def _new_state(self, max_steps: int) -> Arena:
        s, k, t = self._num_slots, self._options.beam_size, max_steps
        return Arena(
            SLOTS,
            {
                "status": (np.int64, (s,)),
                "positions": (np.int64, (s,)),
                "max_tokens": (np.int64, (s,)),
                "source_lengths": (np.int64, (s,)),
                "past": (np.int64, (s,)),
                "past_room": (np.int64, (s,)),
                "memory": (np.int64, (s,)),
                "log_probs": (np.float32, (s, k)),
                "last_tokens": (np.int64, (s, k)),
                "ancestry": (np.int32, (s, k, t)),
                "tokens": (np.int32, (s, t, k)),
                "parents": (np.int32, (s, t, k)),
                "finished_scores": (np.float32, (s, k)),
                "finished_log_probs": (np.float32, (s, k)),
                "finished_steps": (np.int64, (s, k)),
                "finished_places": (np.int64, (s, k)),
                "outputs": (np.int32, (s, k, t)),
            },
            num_slots=s,
            max_steps=t,
        )


def _rules(options: SearchOptions, max_steps: int) -> Arena:
    withheld = sorted({*options.banned, options.eos_id})
    rules = Arena(
        RULES,
        {"length_norms": (np.float32, (max_steps + 1,)), "withheld": (np.int64, (len(withheld),))},
        num_withheld=len(withheld),
        beam=options.beam_size,
        start=options.start_id,
        eos=options.eos_id,
        min_tokens=options.min_tokens,
        n_best=options.n_best,
        stop=_STOPS[options.stop] if options.beam_size > 1 else FULL,
        free_end=options.free_end,
        renormalize=options.renormalize,
    )
    rules.arrays["withheld"][:] = withheld
    rules.arrays["length_norms"][:] = [float(max(n, 1)) ** options.length_penalty for n in range(max_steps + 1)]
    return rules
