"""The slots of PyTorch's engine: which sentence is in which, and the memory on the device that belongs to each.

Sentences come into free slots and leave them while others go on. Memory grows by doubling. Where few sentences are
left they move together, into the first slots, so that a step computes no more of them than it must.

Axes: S slots, K beam, T steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtcli.decoding.search import SearchOptions, Task
from mtcli.decoding.shapes import Layout
from mtcli.model.cache import DecoderCache
from mtcli.model.transformer import Transformer
from mtcli_kernels.beam_step import BeamRules, BeamState, Stop

_FIRST_STEPS = 32  # the caches begin with room for so many, and double
_SOURCE_STEP = 128  # source tokens that room is made for, in whole steps
_CROWDED = 0.875  # slots are given up once fewer than this part of them is live: that copies caches


@dataclass(frozen=True)
class View:
    """The slots that take part in a step: the first of all."""

    state: BeamState
    cache: DecoderCache


@dataclass
class _Seat:
    """What the host knows of a slot.

    Attributes:
        task: the sentence in it; None where it is free.
        admitted_at: the clock when its sentence came into the engine.
        placed_at: the clock when its sentence came into this slot.
    """

    task: Task | None = None
    admitted_at: int = 0
    placed_at: int = 0


class Slots:
    """Sentences in work and their memory, made whole for the first that come.

    Attributes:
        state, cache, rules: of all slots.
        view: of the slots that take part in a step.
        num_live: slots that hold a sentence.
        num_taking_part: slots that a step computes, from the first on.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        network: Transformer,
        options: SearchOptions,
        layout: Layout,
        *,
        most: int,
        moved: Callable[[], None],
        bounded: bool,
    ) -> None:
        """Make room for sentences; on a GPU for as many as there may ever be, since graphs end with their memory.

        Args:
            tasks: the first sentences that will come.
            network, options, layout: as the engine's.
            most: slots that there may ever be.
            moved: told when memory that a step may have remembered is another.
            bounded: whether a step is told bounds that never change, as CUDA graphs need.
        """
        self._network, self._options, self._layout = network, options, layout
        self._most, self._moved, self._bounded = most, moved, bounded
        device = network.output.weight.device
        size = most if device.type == "cuda" else min(layout.slots(len(tasks)), most)
        steps, width = max(task.max_tokens for task in tasks), _source_room(tasks)
        self.state = BeamState.empty(size, options.beam_size, steps, device)
        self.cache = network.empty_cache(size, beam=options.beam_size, max_steps=_FIRST_STEPS, max_source=width)
        self.rules = _rules_for(network, options, steps)
        self.view = View(self.state, self.cache)
        self.num_live = self.num_taking_part = 0
        self._oldest = 0  # the clock when the sentence that has been here longest came in
        self._seats = [_Seat() for _ in range(size)]

    @property
    def tasks(self) -> list[Task]:
        """The sentences in work."""
        return [seat.task for seat in self._seats if seat.task is not None]

    def task_before(self, slot: int, clock: int) -> Task | None:
        """The slot's sentence, if it was in it before the clock stood there."""
        seat = self._seats[slot]
        return seat.task if seat.placed_at < clock else None

    def place(self, tasks: Sequence[Task], clock: int) -> list[int]:
        """Give sentences free slots, with room for what they need; returns the slots."""
        free = [slot for slot, seat in enumerate(self._seats) if seat.task is None][: len(tasks)]
        free += range(len(self._seats), len(self._seats) + len(tasks) - len(free))
        self._make_room(max(free) + 1, tasks)
        for slot, task in zip(free, tasks, strict=True):
            self._seats[slot] = _Seat(task, clock, clock)
        self.num_live += len(tasks)
        return free

    def _make_room(self, size: int, tasks: Sequence[Task]) -> None:
        """Grow what is too small, by doubling."""
        state, cache = self.state, self.cache
        steps, width = max(task.max_tokens for task in tasks), _source_room(tasks)
        if size > state.num_slots or steps > state.max_steps:
            room = state.num_slots
            while room < size:
                room = min(self._layout.slots(2 * room), self._most)
            self._moved()
            self.state = state.grow(max(steps, state.max_steps), num_slots=room)
            self.rules = _rules_for(self._network, self._options, self.state.max_steps)
        if self.state.num_slots > cache.num_slots or width > cache.max_source:
            self._moved()
            self.cache = cache.grown(
                slots=self.state.num_slots, max_steps=cache.max_steps, max_source=max(width, cache.max_source)
            )
        self._seats += [_Seat() for _ in range(self.state.num_slots - len(self._seats))]

    def grow_steps(self, clock: int) -> None:
        """Double the steps that the caches have room for."""
        cache = self.cache
        self.cache = cache.grown(slots=cache.num_slots, max_steps=2 * cache.max_steps, max_source=cache.max_source)
        self._moved()
        self.choose(clock)

    def choose(self, clock: int) -> None:
        """Choose the slots that take part from now on; at least one has a sentence."""
        used = max(slot for slot, seat in enumerate(self._seats) if seat.task is not None) + 1
        live = self.num_live
        size, smaller = self._layout.slots(used), self._layout.slots(live)
        if smaller < size and live <= _CROWDED * size:
            self._move_together(smaller, clock)
            size = smaller
        longest = max(len(task.source) for task in self.tasks)
        width = self.cache.max_source if self._bounded else longest
        self.view = View(self.state.first(size), self.cache.first(size, width))
        self._oldest = min(seat.admitted_at for seat in self._seats if seat.task is not None)
        self.num_taking_part = size

    def are_too_many(self) -> bool:
        """Whether a step would be faster with fewer slots."""
        live = self.num_live
        return live <= _CROWDED * self.num_taking_part and self._layout.slots(live) < self.num_taking_part

    def _move_together(self, size: int, clock: int) -> None:
        """Move the sentences behind slot `size` into free slots before it."""
        behind = [slot for slot in range(size, len(self._seats)) if self._seats[slot].task is not None]
        holes = [slot for slot in range(size) if self._seats[slot].task is None][: len(behind)]
        sources, targets = self._on_device(behind), self._on_device(holes)
        self.state.move(sources, targets)
        self.state.release(sources)
        self.cache.move(sources, targets)
        for source, target in zip(behind, holes, strict=True):
            seat = self._seats[source]
            self._seats[target], self._seats[source] = _Seat(seat.task, seat.admitted_at, clock), _Seat()

    def release(self, slots: Sequence[int]) -> None:
        """Free slots; nothing that may run out of memory comes after the host has forgotten their sentences."""
        self.state.release(self._on_device(slots))
        for slot in slots:
            self._seats[slot].task = None
        self.num_live -= len(slots)

    def slots_of(self, is_meant: Callable[[Task], bool]) -> list[int]:
        """The slots of some sentences."""
        return [slot for slot, seat in enumerate(self._seats) if seat.task is not None and is_meant(seat.task)]

    def longest_output(self, clock: int) -> int:
        """A bound of the steps that any slot that takes part has done; one that is done just waits."""
        return min(clock - self._oldest, self.state.max_steps - 1)

    def _on_device(self, slots: Sequence[int]) -> Tensor:
        return torch.tensor(slots).to(self._network.output.weight.device, non_blocking=True)


def _source_room(tasks: Sequence[Task]) -> int:
    return -(-max(len(task.source) for task in tasks) // _SOURCE_STEP) * _SOURCE_STEP


def _rules_for(network: Transformer, options: SearchOptions, max_steps: int) -> BeamRules:
    """The rules of the search step, on the network's device, for outputs of at most so many tokens."""
    return BeamRules.of(
        eos_id=options.eos_id,
        banned=options.banned,
        vocab_size=network.vocabulary.target,
        length_penalty=options.length_penalty,
        max_steps=max_steps,
        min_tokens=options.min_tokens,
        n_best=options.n_best,
        stop=Stop[options.stop.upper()] if options.beam_size > 1 else Stop.FULL,
        free_end=options.free_end,
        device=network.output.weight.device,
    )
