"""Decoding with all of a machine: engines in threads of their own, fed from one place, and what they do without memory.

On a CPU there are up to four engines, which divide the processors among them and the sentences too. With an engine of
its own a processor never waits for another; with very many of them engines would wait for Python, which one thread at
a time may use. Where only some have anything to do, these have all processors. On a GPU there is one engine.
"""

import gc
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, Protocol

import torch

from mtcli.decoding.capacity import slots_for
from mtcli.decoding.engines.torch import Engine
from mtcli.decoding.scheduler import take_fitting
from mtcli.decoding.search import Hypothesis, SearchOptions, Task
from mtcli.decoding.shapes import AnyLayout, IndependentLayout, Layout
from mtcli.decoding.stream import FAIR_SHARE, MOMENT, Closed, fair_share, is_abandoned
from mtcli.errors import MtcliError, is_out_of_memory
from mtcli.model.transformer import Transformer

_MOST_ENGINES = 4  # on a CPU: they wait for each other to use Python, as threads do for each other in each step
_TOKENS_PER_SLOT = 64  # of the budget of source tokens, padding included
_REFILL = 0.125  # part of the slots that must be free before newcomers are let in: encoding a few at a time is slow
# Weights of fewer numbers multiply as fast as they are; but packed ones round alike for more numbers of rows
_WORTH_PACKING = 1 << 19
_log = logging.getLogger(__name__)


class Sentences(Protocol):
    """Where engines get sentences and bring hypotheses (`Flow`)."""

    def take(self, most: int, tokens: int, *, live: int, longest: int, wait: bool) -> list[Task]: ...
    def finish(self, done: Sequence[tuple[Task, list[Hypothesis]]]) -> None: ...
    def give_back(self, tasks: Sequence[Task]) -> None: ...
    def fail(self, error: BaseException) -> None: ...
    def close(self) -> None: ...


class Decoder:
    """Decodes sentences with one network and one way to search. Thread-safe.

    Attributes:
        network, options: what decodes, and how.
        workers: threads that decode at once.
    """

    def __init__(
        self,
        network: Transformer,
        options: SearchOptions,
        *,
        independent: bool = True,
        batch_tokens: int | Literal["auto"] = "auto",
        workers: int | None = None,
        max_slots: int | None = None,
        graphs: bool = True,
    ) -> None:
        """Prepare to decode; memory is taken when there is something to do.

        Args:
            network: in evaluation mode; to be left alone as long as this is used.
            options: how to search.
            independent: whether a sentence's hypotheses must not depend, to the last bit, on what is decoded beside it.
            batch_tokens: source tokens decoded at once in each thread, padding included.
            workers: engines, each in a thread of its own; by default one on a GPU, and on a CPU one for each
                processor, 4 at most.
            max_slots: sentences decoded at once in each thread, as far as the layout has them; by default as many as
                are fast and fit into memory.
            graphs: whether steps become CUDA graphs where they can.
        """
        self.network, self.options = network, options
        network.pack(0 if independent else _WORTH_PACKING)
        device = network.output.weight.device
        self._threads = torch.get_num_threads()
        self.workers = workers or (min(self._threads, _MOST_ENGINES) if device.type == "cpu" else 1)
        self._layout: Layout = (IndependentLayout if independent else AnyLayout)(network, options.beam_size)
        self._budget = None if batch_tokens == "auto" else batch_tokens
        self._max_slots = max_slots  # or what memory was found to hold
        self._graphs = graphs
        self._idle: list[Engine] = []
        self._working: list[Engine] = []
        self._lock = threading.Lock()

    def decode(self, sources: Sequence[Sequence[int]], max_tokens: Sequence[int]) -> list[list[Hypothesis]]:
        """The finished hypotheses of each sentence, best first, at most `n_best` of the options.

        Args:
            sources: token ids, each ended by its end token.
            max_tokens: each one's longest output in tokens, end token included, at least 2.

        Raises:
            MtcliError: one sentence alone needs more memory than there is, or the network's output is not a number.
        """
        pairs = enumerate(zip(sources, max_tokens, strict=True))
        tasks = [Task(key, tuple(source), most) for key, (source, most) in pairs]
        if not tasks:
            return []
        workers = min(self.workers, -(-len(tasks) // FAIR_SHARE))
        batch = _Batch(tasks, workers)
        if workers == 1:  # starting a thread takes longer than a step
            self._serve(batch)
            return batch.wait()
        with self._started(batch, workers):
            return batch.wait()

    @contextmanager
    def serving(self, sentences: Sentences) -> Iterator[Callable[[], bool] | None]:
        """Decode what `sentences` gives while the block runs.

        Yields:
            None where threads do it, which end with the block. With one worker a function that the caller is to call
            again and again: it does a little of the work, in the caller's own thread, and says whether there was any.
        """
        if self.workers == 1:
            with self._engine() as engine:
                shift = _Shift(self, engine, sentences)
                yield lambda: self._turn(shift, wait=False)
            return
        with self._started(sentences, self.workers):
            yield None

    @contextmanager
    def _started(self, sentences: Sentences, workers: int) -> Iterator[None]:
        # No daemons: the interpreter must not end while one is inside PyTorch, which would abort the process
        threads = [
            threading.Thread(target=self._serve, args=(sentences,), name=f"decoding-{number}")
            for number in range(workers)
        ]
        try:
            for thread in threads:
                thread.start()
            yield
        finally:
            sentences.close()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()

    def _serve(self, sentences: Sentences) -> None:
        """Work until there is nothing left."""
        try:
            with self._engine() as engine:
                shift = _Shift(self, engine, sentences)
                while self._turn(shift, wait=True):
                    pass
        except Closed:
            pass
        except BaseException as error:  # noqa: BLE001 (raised again in the caller's thread)
            sentences.fail(error)

    def _turn(self, shift: "_Shift", *, wait: bool) -> bool:
        if self.network.output.weight.device.type != "cpu":
            return shift.turn(wait=wait)
        torch.set_flush_denormal(True)
        before = torch.get_num_threads()
        try:
            return shift.turn(wait=wait)
        finally:
            torch.set_num_threads(before)

    def share_threads(self, engine: Engine) -> None:
        """Let an engine use its part of the processors: those that have sentences get as many each."""
        with self._lock:
            busy = sum(other is engine or other.num_live > 0 for other in self._working)
        engine.threads = max(1, self._threads // busy)

    @contextmanager
    def _engine(self) -> Iterator[Engine]:
        """An engine for one thread; those given back are used again, with the memory they have."""
        with self._lock:
            engine = self._idle.pop() if self._idle else None
        if engine is None:
            slots = self._max_slots or slots_for(self.network, self.options.beam_size, self.workers)
            engine = Engine(self.network, self.options, self._layout, max_slots=slots, graphs=self._graphs)
        with self._lock:
            self._working.append(engine)
        try:
            yield engine
        finally:
            if engine.num_live:
                engine.reset()
            with self._lock:
                self._working.remove(engine)
                self._idle.append(engine)

    @property
    def slots(self) -> int:
        """Sentences decoded at once in each thread, at most."""
        with self._engine() as engine:
            return engine.max_slots

    @property
    def makes_graphs(self) -> bool:
        """Whether steps become CUDA graphs here."""
        with self._engine() as engine:
            return engine.makes_graphs

    def tokens_at_once(self, engine: Engine) -> int:
        """The bound on sentences x longest source of an engine."""
        return self._budget or _TOKENS_PER_SLOT * engine.max_slots

    def shrink(self, engine: Engine, tasks: Sequence[Task]) -> None:
        """Go on with half as much at once, from now on; the memory of the failed attempt is free again."""
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if len(tasks) == 1:  # perhaps what others had left behind was in the way
            return
        engine.shrink(len(tasks))
        longest = max(len(task.source) for task in tasks)
        self._budget, self._max_slots = longest * (len(tasks) // 2), engine.max_slots
        _log.warning("Out of memory with %d sentences at once; going on with half as many.", len(tasks))


class _Shift:
    """An engine at work on what `sentences` gives."""

    def __init__(self, decoder: Decoder, engine: Engine, sentences: Sentences) -> None:
        self._decoder, self._engine, self._sentences = decoder, engine, sentences
        self._alone: Task | None = None  # the sentence that memory ran out with although it was alone

    def turn(self, *, wait: bool) -> bool:
        """Let newcomers in and take all a few steps on; whether there was anything to do.

        Args:
            wait: for sentences, if there are none.
        """
        engine, newcomers = self._engine, []
        if engine.num_live == 0 or engine.num_free >= _REFILL * engine.max_slots:
            newcomers = self._sentences.take(
                engine.num_free,
                self._decoder.tokens_at_once(engine),
                live=engine.num_live,
                longest=engine.longest_source,
                wait=wait,
            )
            if not newcomers and not engine.num_live:
                return False
        self._decoder.share_threads(engine)
        try:
            engine.admit(newcomers)
            done = engine.advance()
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            self._begin_again(newcomers, error)
        else:
            self._sentences.finish(done)
        return True

    def _begin_again(self, newcomers: Sequence[Task], error: BaseException) -> None:
        left = list({task.key: task for task in (*self._engine.reset(), *newcomers)}.values())
        if [self._alone] == left:
            raise MtcliError(
                f"Out of memory while translating one sentence of {len(left[0].source)} tokens. "
                "Use a smaller --beam-size, or --device cpu."
            ) from error
        self._alone = left[0] if len(left) == 1 else None
        self._decoder.shrink(self._engine, left)
        self._sentences.give_back(left)


class _Batch:
    """Sentences that are all there from the start, the longest first (`Sentences`)."""

    def __init__(self, tasks: Sequence[Task], workers: int) -> None:
        self._waiting = deque(sorted(tasks, key=lambda task: -len(task.source)))
        self._results: list[list[Hypothesis] | None] = [None] * len(tasks)
        self._missing, self._workers = len(tasks), workers
        self._lock = threading.RLock()  # as in Flow
        self._changed = threading.Condition(self._lock)
        self._caller = threading.current_thread()
        self._error: BaseException | None = None
        self._closed = False

    def wait(self) -> list[list[Hypothesis]]:
        with self._lock:
            while self._missing and self._error is None:
                self._changed.wait(MOMENT)
        if self._error is not None:
            raise self._error
        return [result for result in self._results if result is not None]

    def take(self, most: int, tokens: int, *, live: int, longest: int, wait: bool) -> list[Task]:
        with self._lock:
            while wait and not self._waiting and not live and self._missing and not self._is_over():
                self._changed.wait(MOMENT)  # another thread may give some back
            if self._is_over():
                raise Closed
            most = min(most, fair_share(len(self._waiting), live, self._workers))
            return take_fitting(self._waiting, most, tokens, live=live, longest=longest)

    def _is_over(self) -> bool:
        return self._closed or self._error is not None or is_abandoned(self._caller)

    def finish(self, done: Sequence[tuple[Task, list[Hypothesis]]]) -> None:
        with self._lock:
            for task, hypotheses in done:
                self._results[task.key] = hypotheses
            self._missing -= len(done)
            if not self._missing:
                self._changed.notify_all()

    def give_back(self, tasks: Sequence[Task]) -> None:
        with self._lock:
            self._waiting.extendleft(reversed(tasks))
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        with self._lock:
            self._error = self._error or error
            self._changed.notify_all()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._changed.notify_all()
