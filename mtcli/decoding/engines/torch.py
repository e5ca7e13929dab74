"""PyTorch's engine: many sentences through their search together, each in a slot; one that is done makes room.

The state of all searches lives on the device (`BeamState`, `DecoderCache`). A step takes every slot one token on,
each at its own position; between steps the host knows nothing but how long each slot has run at most. Every few steps
it looks which slots are done, reads their translations and lets newcomers in: these are encoded together, and their
encoder keys and values are projected once for each decoder layer. When no newcomers are left, sentences move
together and the number of slots shrinks (slots.py).

Axes: S slots, K beam, T steps, N packed source tokens.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch

from mtcli.decoding.capacity import slots_for
from mtcli.decoding.engines import Outcome
from mtcli.decoding.engines.slots import Slots
from mtcli.decoding.graphs import DelayedLooks, ImmediateLooks, Looks, StepGraphs
from mtcli.decoding.search import Hypothesis, SearchOptions, Task
from mtcli.decoding.shapes import AnyLayout, IndependentLayout, Layout
from mtcli.errors import MtcliError
from mtcli.model.implementations import Implementations, companion
from mtcli.model.transformer import Transformer
from mtcli_kernels.beam_step import FinishedHypothesis, SlotStatus, beam_step
from mtcli_kernels.decoding_layout import BeamPlaces
from mtcli_kernels.packing import Packing

_LOOK_EVERY = {"cpu": 1, "cuda": 4}  # steps between looks at what is done: on a GPU a look may have to wait
_STEP_OPERATIONS = ("cross_attention_decode", "self_attention_decode", "beam_step")


class TorchEngines:
    """Makes PyTorch's engines for one network and one way to search; they share what was found out about shapes.

    One engine is at work where nobody says otherwise; on a CPU it uses all threads. On a GPU a sentence's hypotheses
    are the same bits in any company, unless they need not be; on a CPU they are the same up to rounding.

    Attributes:
        network: what decodes.
        makes_graphs: whether steps become CUDA graphs.
        options, num_workers, num_threads: as `mtcli.decoding.engines.Engines`.
    """

    def __init__(
        self, network: Transformer, options: SearchOptions, *, independent: bool = True, graphs: bool = True
    ) -> None:
        """Prepare a network.

        Args:
            network: in evaluation mode; to be left alone as long as its engines are used.
            options: how to search.
            independent: whether, on a GPU, a sentence's hypotheses must not depend, to the last bit, on what is decoded
                beside it.
            graphs: whether steps become CUDA graphs where they can.
        """
        self.network, self.options = network, options
        network.join_projections()
        on_gpu = network.output.weight.device.type != "cpu"
        self._layout: Layout = IndependentLayout(network, options.beam_size) if independent and on_gpu else AnyLayout()
        self.makes_graphs = graphs and _runs_kernels_alone(network, options)
        self.num_workers, self.num_threads = 1, torch.get_num_threads()

    def make(self, max_slots: int | None = None, num_workers: int = 1) -> "TorchEngine":
        """Make an engine, as `mtcli.decoding.engines.Engines.make`."""
        slots = max_slots or slots_for(self.network, self.options.beam_size, num_workers)
        return TorchEngine(self.network, self.options, self._layout, max_slots=slots, graphs=self.makes_graphs)


class TorchEngine:
    """Decodes sentences with one network (`mtcli.decoding.engines.Engine`).

    On a CPU its calls set PyTorch to flush denormal numbers in the thread that calls; they are many times slower.

    Attributes:
        max_slots: sentences decoded at once, at most.
        threads: that operations are divided among on a CPU; PyTorch's when it is made, and to be changed at will.
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
        self._graphs = StepGraphs() if graphs and _runs_kernels_alone(network, options) else None
        self._slots: Slots | None = None
        self.reset()

    def reset(self) -> list[Task]:
        """Forget all sentences and give back the memory; returns the sentences that were not done."""
        left = self._slots.tasks if self._slots else []
        self._slots, self._clock = None, 0
        self._looks: Looks = DelayedLooks() if self._delayed else ImmediateLooks()
        self._forget_graphs()
        return left

    def _forget_graphs(self) -> None:
        if self._graphs is not None:
            self._graphs.forget()

    @property
    def num_live(self) -> int:
        """Sentences in work."""
        return self._slots.num_live if self._slots else 0

    @property
    def num_free(self) -> int:
        """Sentences that may be admitted."""
        return self.max_slots - self.num_live

    @property
    def longest_source(self) -> int:
        """Tokens of the longest sentence in work; 0 if there is none."""
        return max((len(task.source) for task in self._slots.tasks), default=0) if self._slots else 0

    def shrink(self, failed: int) -> None:
        """Hold half of `failed` sentences from now on, or as few as the layout allows; called after `reset`."""
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        if failed > 1:  # else perhaps what others had left behind was in the way
            self.max_slots = self._layout.most_slots(max(1, min(failed, self.max_slots) // 2))

    @torch.inference_mode()
    def admit(self, tasks: Sequence[Task]) -> None:
        """Take sentences in, no more than are free.

        Raises:
            RuntimeError: out of memory; what was admitted before is unharmed only by `reset`.
        """
        if not tasks:
            return
        with self._computing():
            if self._slots is None:
                self._slots = Slots(
                    tasks,
                    self._network,
                    self._options,
                    self._layout,
                    most=self.max_slots,
                    moved=self._forget_graphs,
                    bounded=self._graphs is not None,
                )
            slots = self._slots
            taken = slots.place(tasks, self._clock)
            for chosen, size in self._layout.encoder_batches([len(task.source) for task in tasks]):
                self._encode(slots, [tasks[place] for place in chosen], [taken[place] for place in chosen], size)
            slots.state.admit(taken, [task.max_tokens for task in tasks], self._options.start_id)
            slots.choose(self._clock)

    def _encode(self, slots: Slots, tasks: Sequence[Task], taken: Sequence[int], size: int) -> None:
        """Encode sentences on `size` packed tokens and put them into the slots `taken`."""
        lengths = [len(task.source) for task in tasks]
        tokens = [token for task in tasks for token in task.source]
        filler = size - len(tokens)
        packing = Packing.of([*lengths, *_in_pieces(filler, max(lengths))], self._device)
        source = torch.tensor(tokens + filler * [self._options.eos_id]).to(self._device, non_blocking=True)
        memory = self._network.encode(source, packing)
        places = torch.tensor(taken).to(self._device, non_blocking=True)
        if filler:
            packing = Packing.of(lengths, self._device)
        self._network.admit(memory, packing, slots.cache, places)

    @torch.inference_mode()
    def advance(self) -> list[Outcome]:
        """Take all sentences a few steps on; returns those that are done, with their hypotheses or what went wrong.

        Raises:
            RuntimeError: out of memory; `reset` tells what was not done.
        """
        slots = self._slots
        if slots is None or not slots.num_live:
            return []
        with self._computing():
            if slots.are_too_many():
                slots.choose(self._clock)
            for _ in range(self._look_every):
                self._step(slots)
            return self._collect(slots)

    @torch.inference_mode()
    def drop(self, is_unwanted: Callable[[Task], bool]) -> None:
        """Free the slots of sentences that nobody waits for any more."""
        if self._slots and (found := self._slots.slots_of(is_unwanted)):
            self._slots.release(found)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """On a CPU compute with `threads`; leave the thread with as many as it had."""
        if self._device.type != "cpu":
            yield
            return
        torch.set_flush_denormal(True)
        before = torch.get_num_threads()
        _divide_among(self.threads)
        try:
            yield
        finally:
            _divide_among(before)

    def _step(self, slots: Slots) -> None:
        """Write one more token for every live hypothesis."""
        longest = slots.longest_output(self._clock)
        if longest >= slots.cache.max_steps:
            slots.grow_steps(self._clock)
        if self._graphs is None:
            self._compute_step(slots, longest)
        else:  # the kernels find each slot's own length: what the host says is a bound that never changes
            most = min(slots.state.max_steps, slots.cache.max_steps) - 1
            self._graphs.run(slots.num_taking_part, lambda: self._compute_step(slots, most))
        self._clock += 1

    def _compute_step(self, slots: Slots, longest: int) -> None:
        state, cache = slots.view.state, slots.view.cache
        places = BeamPlaces(state.ancestry, state.positions, longest)
        logits = self._network.step(state.last_tokens.flatten(), cache, places)
        if self._silenced is not None:
            logits.index_fill_(1, self._silenced, float("-inf"))
        beam_step(logits, state, slots.rules, impl=self._impl)

    def _collect(self, slots: Slots) -> list[Outcome]:
        """What is done, as far as the newest look tells."""
        look = self._looks.take(slots.view.state.status, self._clock)
        done = {
            slot: task
            for slot, status in enumerate(look.status)
            if status != SlotStatus.LIVE and (task := slots.task_before(slot, look.clock)) is not None
        }
        if not done:
            return []
        found = slots.state.all_hypotheses(list(done))
        slots.release(list(done))  # nothing may run out of memory from here on, or sentences would be lost
        return [
            (task, _not_a_number() if look.status[slot] == SlotStatus.NOT_A_NUMBER else self._hypotheses(finished))
            for (slot, task), finished in zip(done.items(), found, strict=True)
        ]

    def _hypotheses(self, finished: Sequence[FinishedHypothesis]) -> list[Hypothesis]:
        penalty = self._options.length_penalty
        return [
            Hypothesis(one.tokens, one.log_prob, one.log_prob / (len(one.tokens) + 1) ** penalty)
            for one in finished[: self._options.n_best]
        ]


def _runs_kernels_alone(network: Transformer, options: SearchOptions) -> bool:
    """Whether a step asks nothing of the host, so that it can be a graph."""
    weight = network.output.weight
    if weight.device.type != "cuda":
        return False
    found = Implementations.resolve(
        network.attention,
        weight.device,
        weight.dtype,
        head_dim=network.config.largest_head_dim,
        beam=options.beam_size,
    )
    return all(found.choices[op].impl == "triton" for op in _STEP_OPERATIONS)


def _not_a_number() -> MtcliError:
    return MtcliError(
        "The network's output is not a number. Its weights are damaged or too large for the number type: "
        "try --dtype float32, or copy the model again from where it was made."
    )


def _divide_among(threads: int) -> None:
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


def _in_pieces(total: int, longest: int) -> list[int]:
    """Lengths of filler sentences that add up to `total`, none longer than `longest`."""
    whole, rest = divmod(total, longest)
    return [longest] * whole + ([rest] if rest else [])
