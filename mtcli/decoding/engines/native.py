"""The CPU's engine: many sentences through their search together, in compiled code without Python or PyTorch.

Each engine has the memory of its slots and computes in one thread, unless processors are idle that may help it with a
large network (kernels/mtcli_native/team.py); an engine a processor is at work. One call takes all slots several steps
on, with Python's lock free; between calls sentences come and go. Every row of numbers is computed by itself, each of
its sums in one order (kernels/mtcli_native/README.md): so a translation does not depend on what is decoded beside it.
"""

import gc
from collections.abc import Callable, Sequence

import numpy as np

from mtcli.decoding.engines import Outcome
from mtcli.decoding.engines.native_network import PackedNetwork, packed_network
from mtcli.decoding.engines.native_slots import NativeSlots
from mtcli.decoding.engines.native_workspace import Batch, Workspace
from mtcli.decoding.host_memory import free_memory
from mtcli.decoding.search import Hypothesis, SearchOptions, Task
from mtcli.errors import MtcliError
from mtcli.model_directory.model import Model
from mtcli.processors import available_cpus
from mtcli_native import load
from mtcli_native.records import ADVANCE, ENCODE

_MOST_SLOTS, _MOST_ROWS = 128, 256  # sentences and hypotheses that a step computes at once: more is not faster
_FEWEST_SLOTS = 4
_CACHE_BYTES, _USUAL_STEPS = 64 << 20, 32  # what the slots' keys and values may take, at so many steps of each
_BATCH_TOKENS = 256  # source tokens encoded at once: what they are turned into stays in the cache
_MOST_INPUTS = 1 << 16  # of a product of integers: 255 x 127 x this fits into 32 bits
_PRODUCTS_A_CALL = 1_000_000_000  # multiplications, a few milliseconds: so long a caller's decision may have to wait
_SHARED_PRODUCTS = 8_000_000  # multiplications of one hypothesis's step that are worth several threads
_DONE_A_CALL = 0.125  # part of the slots whose sentences are done before a call returns early


def obstacle(model: Model, options: SearchOptions, *, dtype: str) -> str | None:
    """Tell in a sentence why the kernels cannot decode so; None where they can."""
    if options.eos_id in options.banned:
        return "The native engine needs an end token that may be written."
    config = model.architecture.model
    widest = max(config.d_model, config.ffn_dim, config.of_decoder.ffn_dim)
    if dtype == "int8" and widest > _MOST_INPUTS:
        return (
            f"Sums of integers are exact for {_MOST_INPUTS:,} numbers at most; a layer of this model reads {widest:,}."
        )
    return load.obstacle()


class NativeEngines:
    """Makes engines for one model and one way to search (`mtcli.decoding.engines.Engines`).

    The packed weights are shared by all engines of a model, whatever their way to search.

    Attributes:
        options, num_workers, num_threads: as `mtcli.decoding.engines.Engines`.
    """

    def __init__(
        self, model: Model, options: SearchOptions, *, independent: bool = True, dtype: str = "float32"
    ) -> None:
        """Prepare a model.

        Args:
            independent: makes no difference here: translations never depend on one another.
            dtype: `float32` or `int8`.

        Raises:
            CheckpointError: the weights are damaged, or not those of the model.
        """
        del independent
        self.options = options
        self.num_workers = self.num_threads = available_cpus()
        self._network = packed_network(model, is_int8=dtype == "int8")

    def make(self, max_slots: int | None = None, num_workers: int = 1) -> "NativeEngine":
        """Make an engine, as `mtcli.decoding.engines.Engines.make`."""
        return NativeEngine(self._network, self.options, max_slots=max_slots or self._slots(num_workers))

    def _slots(self, num_workers: int) -> int:
        """As many as are fast and fit into memory."""
        beam, network = self.options.beam_size, self._network
        of_one = network.entry_bytes * network.config.decoder_layers * (beam + 1) * _USUAL_STEPS
        free = free_memory() or _CACHE_BYTES * num_workers * 4
        room = min(_CACHE_BYTES, free // 4 // num_workers) // of_one
        return max(_FEWEST_SLOTS, min(_MOST_SLOTS, _MOST_ROWS // beam, room))


class NativeEngine:
    """Decodes sentences (`mtcli.decoding.engines.Engine`), in one thread, or in several that share large products.

    Attributes:
        max_slots: sentences decoded at once, at most.
        threads: that share the products of a large network; to be changed at will.
    """

    def __init__(self, network: PackedNetwork, options: SearchOptions, *, max_slots: int) -> None:
        """Prepare to search; memory for slots is taken as they are needed."""
        self._network, self._options, self.max_slots = network, options, max_slots
        self.threads = 1
        self._begin()

    def _begin(self) -> None:
        self._slots = NativeSlots(self._network, self._options, self.max_slots)
        self._workspace = Workspace(self._network, beam=self._options.beam_size, num_slots=self.max_slots)

    def reset(self) -> list[Task]:
        """Forget all sentences and give back the memory; returns the sentences that were not done."""
        left = self._slots.tasks
        self._begin()
        return left

    @property
    def num_live(self) -> int:
        """Sentences in work."""
        return self._slots.num_live

    @property
    def num_free(self) -> int:
        """Sentences that may be admitted."""
        return self.max_slots - self.num_live

    @property
    def longest_source(self) -> int:
        """Tokens of the longest sentence in work; 0 if there is none."""
        return max((len(task.source) for task in self._slots.tasks), default=0)

    def shrink(self, failed: int) -> None:
        """Hold half of `failed` sentences from now on; called after `reset`."""
        gc.collect()
        if failed > 1:  # else perhaps what others had left behind was in the way
            self.max_slots = max(1, min(failed, self.max_slots) // 2)
            self._begin()

    def admit(self, tasks: Sequence[Task]) -> None:
        """Take sentences in, no more than are free.

        Raises:
            MemoryError: what was admitted before is unharmed only by `reset`.
        """
        for batch in _batches(tasks):
            chosen = self._slots.place(batch)
            lengths = [len(task.source) for task in batch]
            self._workspace.make_room(rows=sum(lengths), attended=max(lengths), steps=self._slots.max_steps)
            self._encode(batch, chosen)

    def _encode(self, tasks: Sequence[Task], chosen: Sequence[int]) -> None:
        batch = Batch([task.source for task in tasks], self._slots.memories(chosen))
        batch.record["p_slots"] = batch.keep(np.asarray(chosen, np.int64))
        self._call(ENCODE, p_batch=batch.address)

    def advance(self) -> list[Outcome]:
        """Take all sentences a few steps on; returns those that are done, with their hypotheses or what went wrong.

        Raises:
            MemoryError: `reset` tells what was not done.
        """
        if not self.num_live:
            return []
        self._slots.make_room()
        self._workspace.make_room(attended=self._slots.longest_attended, steps=self._slots.max_steps)
        enough = max(1, min(int(_DONE_A_CALL * self.max_slots), self.num_live))
        row_steps = max(1, _PRODUCTS_A_CALL // self._network.step_products)
        self._call(ADVANCE, most_row_steps=row_steps, enough_done=enough)
        return self._slots.collect(self._hypotheses, _not_a_number)

    def drop(self, is_unwanted: Callable[[Task], bool]) -> None:
        """Free the slots of sentences that nobody waits for any more."""
        self._slots.drop(is_unwanted)

    def _call(self, command: int, **fields: int) -> None:
        fields |= {"p_rules": self._slots.rules_address, "p_slots": self._slots.address}
        is_large = self._network.step_products >= _SHARED_PRODUCTS
        self._workspace.call(command, threads=self.threads if is_large else 1, **fields)

    def _hypotheses(self, found: list[tuple[list[int], float]]) -> list[Hypothesis]:
        penalty = self._options.length_penalty
        return [Hypothesis(tokens, log_prob, log_prob / (len(tokens) + 1) ** penalty) for tokens, log_prob in found]


def _batches(tasks: Sequence[Task]) -> list[list[Task]]:
    """Sentences that are encoded together: a longest token count, one sentence at least."""
    batches: list[list[Task]] = []
    room = 0
    for task in tasks:
        if not batches or len(task.source) > room:
            batches.append([])
            room = _BATCH_TOKENS
        batches[-1].append(task)
        room -= len(task.source)
    return batches


def _not_a_number() -> MtcliError:
    return MtcliError(
        "The network's output is not a number. Its weights are damaged or too large for the number type: "
        "try --dtype float32, or copy the model again from where it was made."
    )
