"""Many sentences through their search together, each in a slot; a slot that is done takes the next sentence.

The state of all searches lives on the device (`BeamState`, `DecoderCache`). A step takes every slot one token on,
each at its own position; between steps the host knows nothing but how long each slot has run at most. Every few steps
it looks which slots are done, reads their translations and lets newcomers in: these are encoded together, and their
encoder keys and values are projected once for each decoder layer. When no newcomers are left, sentences move
together and the number of slots shrinks.

Axes: S slots, K beam, T steps, N packed source tokens.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mtcli.decoding.graphs import DelayedLooks, ImmediateLooks, Looks, StepGraphs
from mtcli.decoding.search import Hypothesis, SearchOptions, Task
from mtcli.decoding.shapes import Layout
from mtcli.errors import MtcliError
from mtcli.model.cache import DecoderCache
from mtcli.model.implementations import Implementations, companion
from mtcli.model.transformer import Transformer
from mtcli_kernels.beam_step import BeamRules, BeamState, FinishedHypothesis, SlotStatus, Stop, beam_step
from mtcli_kernels.decoding_layout import BeamPlaces
from mtcli_kernels.packing import Packing

_LOOK_EVERY = {"cpu": 1, "cuda": 4}  # steps between looks at what is done: on a GPU a look may have to wait
_FIRST_STEPS = 32  # the caches begin with room for so many, and double
_SOURCE_STEP = 128  # source tokens that room is made for: a multiple of every key_multiple
_CROWDED = 0.875  # slots are given up once fewer than this part of them is live: that copies caches
_APART = 3  # what attention costs a slot that is taken apart, against one that is not
_STEP_OPERATIONS = ("cross_attention_decode", "self_attention_decode", "beam_step")


@dataclass(frozen=True)
class _View:
    """The slots that take part in a step."""

    state: BeamState
    cache: DecoderCache


class Engine:
    """Decodes sentences with one network. Not thread-safe: each thread has its own.

    On a CPU it leaves the thread with another number of PyTorch's threads than it found.

    Attributes:
        max_slots: sentences decoded at once, at most.
        threads: that operations may be divided among on a CPU; PyTorch's when it is made, and to be changed at will.
    """

    def __init__(
        self,
        network: Transformer,
        options: SearchOptions,
        layout: Layout,
        *,
        max_slots: int,
        look_every: int | None = None,
        delayed: bool | None = None,
        graphs: bool = True,
    ) -> None:
        """Prepare to search; memory for slots is taken as they are needed.

        Args:
            network: in evaluation mode.
            options: how to search.
            layout: the shapes to compute in.
            max_slots: a bound of the sentences decoded at once.
            look_every: steps between looks at what is done; by default what suits the device.
            delayed: whether a look tells what was one look ago; by default on a GPU, which it saves from waiting.
            graphs: whether steps become CUDA graphs where they can.
        """
        self._network, self._options, self._layout = network, options, layout
        self.max_slots = layout.most_slots(max_slots)
        self.threads = torch.get_num_threads()
        self._device = network.output.weight.device
        self._look_every = look_every or _LOOK_EVERY[self._device.type]
        self._delayed = self._device.type != "cpu" if delayed is None else delayed
        self._impl = companion(network.attention)
        silenced = options.banned if options.renormalize else ()
        self._silenced = torch.tensor(silenced, dtype=torch.int64, device=self._device) if silenced else None
        self._graphs = StepGraphs() if graphs and self._runs_kernels_alone() else None
        self.reset()

    def _runs_kernels_alone(self) -> bool:
        """Whether a step on this device asks nothing of the host, so that it can be a graph."""
        weight, beam = self._network.output.weight, self._options.beam_size
        head_dim = self._network.config.largest_head_dim
        if self._device.type != "cuda":
            return False
        found = Implementations.resolve(
            self._network.attention, self._device, weight.dtype, head_dim=head_dim, beam=beam
        )
        return all(found.choices[op].impl == "triton" for op in _STEP_OPERATIONS)

    def reset(self) -> list[Task]:
        """Forget all sentences and give back the memory; returns the sentences that were not done."""
        left = [task for task in getattr(self, "_tasks", []) if task is not None]
        self._tasks: list[Task | None] = []  # by slot
        self._admitted_at: list[int] = []  # by slot: the clock when its sentence came into the engine
        self._placed_at: list[int] = []  # by slot: the clock when its sentence came into this slot
        self._clock = 0
        self._state: BeamState | None = None
        self._cache: DecoderCache | None = None
        self._rules: BeamRules | None = None
        self._view: _View | None = None
        self._bucket = 0
        self._looks: Looks = DelayedLooks() if self._delayed else ImmediateLooks()
        self._forget_graphs()
        return left

    def _forget_graphs(self) -> None:
        if self._graphs is not None:
            self._graphs.forget()

    @property
    def makes_graphs(self) -> bool:
        """Whether steps become CUDA graphs."""
        return self._graphs is not None

    @property
    def num_live(self) -> int:
        return sum(task is not None for task in self._tasks)

    @property
    def num_free(self) -> int:
        return self.max_slots - self.num_live

    @property
    def longest_source(self) -> int:
        """Tokens of the longest sentence at hand; 0 if there is none."""
        return max((len(task.source) for task in self._tasks if task is not None), default=0)

    def shrink(self, failed: int) -> None:
        """Hold half of `failed` sentences from now on, or as few as the layout allows. To be called after `reset`."""
        self.max_slots = self._layout.most_slots(max(1, min(failed, self.max_slots) // 2))

    @torch.inference_mode()
    def admit(self, tasks: Sequence[Task]) -> None:
        """Take sentences in, no more than are free.

        Raises:
            RuntimeError: out of memory; what was admitted before is unharmed only by `reset`.
        """
        if not tasks:
            return
        free = [slot for slot, task in enumerate(self._tasks) if task is None][: len(tasks)]
        free += range(len(self._tasks), len(self._tasks) + len(tasks) - len(free))
        self._make_room(max(free) + 1, tasks)
        assert self._state is not None and self._cache is not None
        for slot, task in zip(free, tasks, strict=True):
            self._tasks[slot] = task
            self._admitted_at[slot] = self._placed_at[slot] = self._clock
        for chosen, size in self._layout.encoder_batches([len(task.source) for task in tasks]):
            self._encode([tasks[place] for place in chosen], [free[place] for place in chosen], size)
        self._state.admit(free, [task.max_tokens for task in tasks], self._options.start_id)
        self._look_again()

    def _make_room(self, slots: int, tasks: Sequence[Task]) -> None:
        """Grow what is too small, by doubling."""
        width = -(-max(len(task.source) for task in tasks) // _SOURCE_STEP) * _SOURCE_STEP
        steps = max(task.max_tokens for task in tasks)
        if self._state is None or self._cache is None or self._rules is None:
            # All at once on a GPU: graphs end with the memory they read
            slots = self.max_slots if self._device.type == "cuda" else min(self._layout.slots(slots), self.max_slots)
            self._state = BeamState.empty(slots, self._options.beam_size, steps, self._device)
            self._cache = self._network.empty_cache(
                slots, beam=self._options.beam_size, max_steps=self._first_steps(), max_source=width
            )
            self._rules = self._rules_for(steps)
        state, cache = self._state, self._cache
        if slots > state.num_slots or steps > state.max_steps:
            room = state.num_slots
            while room < slots:
                room = min(self._layout.slots(2 * room), self.max_slots)
            self._forget_graphs()
            self._state = state.grow(max(steps, state.max_steps), num_slots=room)
            self._rules = self._rules_for(self._state.max_steps)
        if self._state.num_slots > cache.num_slots or width > cache.max_source:
            self._forget_graphs()
            self._cache = cache.grown(
                slots=self._state.num_slots, max_steps=cache.max_steps, max_source=max(width, cache.max_source)
            )
        more = self._state.num_slots - len(self._tasks)
        self._tasks += [None] * more
        self._admitted_at += [0] * more
        self._placed_at += [0] * more

    def _first_steps(self) -> int:
        """Steps whose entries in the caches are a whole multiple, as attention is padded to it."""
        multiple = self._layout.key_multiple
        unit = multiple // math.gcd(multiple, self._options.beam_size)
        return -(-_FIRST_STEPS // unit) * unit

    def _rules_for(self, max_steps: int) -> BeamRules:
        options = self._options
        stop = Stop[options.stop.upper()] if options.beam_size > 1 else Stop.FULL
        return BeamRules.of(
            eos_id=options.eos_id,
            banned=options.banned,
            vocab_size=self._network.vocabulary.target,
            length_penalty=options.length_penalty,
            max_steps=max_steps,
            min_tokens=options.min_tokens,
            n_best=options.n_best,
            stop=stop,
            free_end=options.free_end,
            device=self._device,
        )

    def _encode(self, tasks: Sequence[Task], slots: Sequence[int], size: int) -> None:
        """Encode sentences on `size` packed tokens and put them into slots."""
        assert self._cache is not None
        if self._device.type == "cpu":
            self._divide_among(self._layout.encoder_threads(size, self.threads))
        lengths = [len(task.source) for task in tasks]
        tokens = [token for task in tasks for token in task.source]
        filler = size - len(tokens)
        packing = Packing.of(
            [*lengths, *_in_pieces(filler, max(lengths))], self._device, multiple=self._layout.key_multiple
        )
        source = torch.tensor(tokens + filler * [self._options.eos_id]).to(self._device, non_blocking=True)
        memory = self._network.encode(source, packing)
        places = torch.tensor(slots).to(self._device, non_blocking=True)
        if filler:
            packing = Packing.of(lengths, self._device, multiple=self._layout.key_multiple)
        self._network.admit(memory, packing, self._cache, places)

    def _look_again(self) -> None:
        """Choose the slots that take part from now on."""
        assert self._state is not None and self._cache is not None
        used = max((slot for slot, task in enumerate(self._tasks) if task is not None), default=-1) + 1
        live = self.num_live
        bucket = self._layout.slots(used)
        smaller = self._layout.slots(live) if live else bucket
        if smaller < bucket and live <= _CROWDED * bucket:
            self._move_together(smaller)
            bucket = smaller
        longest = max(len(task.source) for task in self._tasks if task is not None)
        multiple = self._layout.key_multiple
        width = min(-(-longest // multiple) * multiple, self._cache.max_source)
        if self._graphs is not None:  # a bound that never changes
            width = self._cache.max_source
        self._view = _View(self._state.first(bucket), self._cache.first(bucket, width))
        self._oldest = min(at for at, task in zip(self._admitted_at, self._tasks, strict=True) if task is not None)
        self._bucket = bucket

    def _move_together(self, bucket: int) -> None:
        """Move the sentences behind slot `bucket` into free slots before it."""
        assert self._state is not None and self._cache is not None
        behind = [slot for slot in range(bucket, len(self._tasks)) if self._tasks[slot] is not None]
        holes = [slot for slot in range(bucket) if self._tasks[slot] is None][: len(behind)]
        sources, targets = (torch.tensor(x).to(self._device, non_blocking=True) for x in (behind, holes))
        self._state.move(sources, targets)
        self._state.release(sources)
        self._cache.move(sources, targets)
        for source, target in zip(behind, holes, strict=True):
            self._tasks[target], self._tasks[source] = self._tasks[source], None
            self._admitted_at[target] = self._admitted_at[source]
            self._placed_at[target] = self._clock

    @torch.inference_mode()
    def advance(self) -> list[tuple[Task, list[Hypothesis]]]:
        """Take all sentences a few steps on; returns those that are done, with their hypotheses, best first.

        Raises:
            MtcliError: the network's output is not a number.
            RuntimeError: out of memory; `reset` tells what was not done.
        """
        if not self.num_live:
            return []
        if self.num_live <= _CROWDED * self._bucket and self._layout.slots(self.num_live) < self._bucket:
            self._look_again()
        if self._device.type == "cpu":
            self._divide_among(self._layout.threads(self._bucket, self.threads))
        for _ in range(self._look_every):
            self._step()
        return self._collect()

    def _divide_among(self, threads: int) -> None:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)

    def _step(self) -> None:
        """Write one more token for every live hypothesis."""
        assert self._state is not None and self._cache is not None and self._view is not None
        longest = min(self._clock - self._oldest, self._state.max_steps - 1)  # a slot that is done just waits
        if longest >= self._cache.max_steps:
            self._cache = self._cache.grown(
                slots=self._cache.num_slots, max_steps=2 * self._cache.max_steps, max_source=self._cache.max_source
            )
            self._forget_graphs()
            self._look_again()
        if self._graphs is None:
            self._compute_step(longest)
        else:  # the kernels find each slot's own length: what the host says is a bound that never changes
            most = min(self._state.max_steps, self._cache.max_steps) - 1
            self._graphs.run(self._bucket, lambda: self._compute_step(most))
        self._clock += 1

    def _compute_step(self, longest: int) -> None:
        assert self._view is not None and self._rules is not None
        state, cache = self._view.state, self._view.cache
        positions, common, stragglers = state.positions, longest, None
        if self._device.type == "cpu":
            positions = positions.clamp(min=0)  # an idle slot goes through the motions: masking it would cost more
            common, behind = self._stragglers(longest)
            stragglers = torch.tensor(behind) if behind else None
        places = BeamPlaces(state.ancestry, positions, longest, self._layout.key_multiple, stragglers, common)
        logits = self._network.step(state.last_tokens.flatten(), cache, places)
        if self._silenced is not None:
            logits.index_fill_(1, self._silenced, float("-inf"))
        beam_step(logits, state, self._rules, impl=self._impl)

    def _stragglers(self, longest: int) -> tuple[int, list[int]]:
        """The slots so far behind that taking them apart saves work, and a bound of the others' positions."""
        ages = sorted(
            ((self._clock - at, slot) for slot, at in enumerate(self._admitted_at) if self._tasks[slot] is not None),
            reverse=True,
        )
        slots = self._bucket
        costs = [slots * longest] + [
            slots * ages[n][0] + _APART * n * longest for n in range(1, 1 + min(len(ages) - 1, slots // 4))
        ]
        best = costs.index(min(costs))
        return min(longest, ages[best][0]), [slot for _, slot in ages[:best]]

    def _collect(self) -> list[tuple[Task, list[Hypothesis]]]:
        """What is done, as far as the newest look tells."""
        assert self._state is not None and self._view is not None
        look = self._looks.take(self._view.state.status, self._clock)
        done = [
            slot
            for slot, status in enumerate(look.status)
            if status != SlotStatus.LIVE and self._tasks[slot] is not None and self._placed_at[slot] < look.clock
        ]
        if not done:
            return []
        if any(look.status[slot] == SlotStatus.NOT_A_NUMBER for slot in done):
            raise MtcliError(
                "The network's output is not a number. Its weights are damaged or too large for the number type: "
                "try --dtype float32, or copy the model again from where it was made."
            )
        found = self._state.all_hypotheses(done)
        self._state.release(torch.tensor(done).to(self._device, non_blocking=True))
        results = []  # nothing that may run out of memory from here on, or sentences would be lost
        for slot, finished in zip(done, found, strict=True):
            task, self._tasks[slot] = self._tasks[slot], None
            assert task is not None
            results.append((task, [self._hypothesis(each) for each in finished[: self._options.n_best]]))
        return results

    def _hypothesis(self, found: FinishedHypothesis) -> Hypothesis:
        score = found.log_prob / (len(found.tokens) + 1) ** self._options.length_penalty
        return Hypothesis(found.tokens, found.log_prob, score)


def _in_pieces(total: int, longest: int) -> list[int]:
    """Lengths of filler sentences that add up to `total`, none longer than `longest`."""
    whole, rest = divmod(total, longest)
    return [longest] * whole + ([rest] if rest else [])
