"""All engines of one way to search, fed from one queue: each in a thread while there is something to decode.

The threads begin when sentences come and end when there are none left, so that an idle pool holds nothing up. Their
engines stay, with the memory they have, for the sentences that come next.
"""

import logging
import threading
from collections.abc import Sequence

from mtcli.decoding.engines import Engine, Engines, Outcome
from mtcli.decoding.search import Hypothesis, SearchOptions, Sentence, Task
from mtcli.decoding.stream import MOMENT, Stream
from mtcli.errors import MtcliError, is_out_of_memory

_TOKENS_PER_SLOT = 64  # of the budget of source tokens, padding included
_REFILL = 0.125  # part of the slots that must be free before newcomers are let in: encoding a few at a time is slow
_log = logging.getLogger(__name__)


class EnginePool:
    """Decodes the sentences of any number of callers at once, in one way. Thread-safe.

    Attributes:
        options: how it searches.
        num_workers: threads that decode at once, at most.
        stream: where callers bring their sentences.
    """

    def __init__(
        self,
        engines: Engines,
        *,
        num_workers: int | None = None,
        batch_tokens: int | None = None,
        max_slots: int | None = None,
    ) -> None:
        """Prepare to decode; memory is taken when there is something to do.

        Args:
            engines: makes the engines.
            num_workers: engines, each in a thread of its own; by default as many as suit the machine.
            batch_tokens: source tokens decoded at once by each engine, padding included; by default what suits it.
            max_slots: sentences decoded at once by each engine; by default as many as are fast and fit into memory.
        """
        self.options: SearchOptions = engines.options
        self.num_workers = num_workers or engines.num_workers
        self.stream: Stream[list[Hypothesis]] = Stream(self.num_workers, self._need)
        self._engines, self._batch_tokens, self._max_slots = engines, batch_tokens, max_slots
        self._idle: list[Worker] = []
        self._at_work: list[Worker] = []

    def decode(self, sources: Sequence[Sequence[int]], max_tokens: Sequence[int]) -> list[list[Hypothesis]]:
        """Find the finished hypotheses of each sentence, best first, at most `n_best` of the options.

        Args:
            sources: token ids, each ended by its end token. Equal ones are decoded as often as they come.
            max_tokens: each one's longest output in tokens, end token included, at least 2.

        Raises:
            MtcliError: one sentence alone needs more memory than there is, or the network's output is not a number.
        """
        lines = [[Sentence(tuple(source), most)] for source, most in zip(sources, max_tokens, strict=True)]
        found: list[list[Hypothesis]] = []
        with self.stream.open(merge_equal=False) as call, call.lock:
            call.add(lines, last=True)
            while len(found) < len(lines):
                if not (whole := call.ready()):
                    call.changed.wait(MOMENT)
                found += [hypotheses for [hypotheses] in whole]
        return found

    def _need(self, number: int) -> None:
        """Have so many threads at work, one for each sentence at most; called with the stream's lock."""
        for _ in range(number - len(self._at_work)):
            worker = self._idle.pop() if self._idle else Worker(self, self._batch_tokens)
            self._at_work.append(worker)
            # No daemons: the interpreter must not end while one is inside PyTorch, which would abort the process
            threading.Thread(target=worker.run, name="decoding").start()

    def went_home(self, worker: "Worker") -> None:
        """Note that a worker's thread ends; called with the stream's lock, under which it found nothing to do."""
        self._at_work.remove(worker)
        self._idle.append(worker)

    def new_engine(self) -> Engine:
        """Make an engine for one worker."""
        return self._engines.make(self._max_slots, self.num_workers)

    def threads_for(self, engine: Engine) -> int:
        """Processors that an engine should use: those that have sentences get as many each."""
        with self.stream.lock:
            busy = sum(worker.engine is engine or worker.num_live > 0 for worker in self._at_work)
        return max(1, self._engines.num_threads // max(1, busy))

    @property
    def slots(self) -> int:
        """Sentences decoded at once by each engine, at most."""
        with self.stream.lock:
            worker = self._idle.pop() if self._idle else Worker(self, self._batch_tokens)
            try:
                return worker.ready_engine().max_slots
            finally:
                self._idle.append(worker)


class Worker:
    """An engine, and what its thread does: keep it busy, and go on with less where memory runs out.

    Attributes:
        engine: made by the thread when it first works; None until then.
    """

    def __init__(self, pool: EnginePool, batch_tokens: int | None) -> None:
        """Work for a pool, on so many source tokens at once, padding included, or as many as suit the engine."""
        self._pool, self._stream, self._batch_tokens = pool, pool.stream, batch_tokens
        self.engine: Engine | None = None
        self._alone: Task | None = None  # the sentence that memory ran out with although it was alone
        self._num_given_up = 0

    @property
    def num_live(self) -> int:
        """Sentences in work."""
        return self.engine.num_live if self.engine else 0

    def ready_engine(self) -> Engine:
        """Return the engine, which is made if there is none yet."""
        if self.engine is None:
            self.engine = self._pool.new_engine()
        return self.engine

    def run(self) -> None:
        """Decode until there is nothing left."""
        try:
            engine = self.ready_engine()
            while self._turn(engine):
                pass
        except BaseException as error:  # noqa: BLE001 (raised again in the callers' threads)
            self.engine = None
            with self._stream.lock:
                self._pool.went_home(self)
            self._stream.fail_all(error)  # without the lock, which those who are told may wait for

    def _turn(self, engine: Engine) -> bool:
        """Let newcomers in and take all a few steps on; whether there was anything to do."""
        newcomers = self._newcomers(engine)
        if newcomers is None:
            return False
        engine.threads = self._pool.threads_for(engine)
        try:
            engine.admit(newcomers)
            outcomes = engine.advance()
        except BaseException as error:  # noqa: BLE001 (raised again in the callers' threads)
            left = list({task.key: task for task in (*engine.reset(), *newcomers)}.values())
            if is_out_of_memory(error):
                self._begin_again(engine, left, error)
            else:
                self._stream.fail(left, error)
        else:
            self._hand_in(outcomes)
        return True

    def _newcomers(self, engine: Engine) -> list[Task] | None:
        """Sentences to let in; None if there is nothing to do, and the thread is to end."""
        if self._num_given_up != self._stream.num_given_up:
            self._num_given_up = self._stream.num_given_up
            engine.drop(self._stream.is_unwanted)
        if engine.num_live and engine.num_free < _REFILL * engine.max_slots:
            return []
        tokens = self._batch_tokens or _TOKENS_PER_SLOT * engine.max_slots
        with self._stream.lock:
            found = self._stream.take(engine.num_free, tokens, live=engine.num_live, longest=engine.longest_source)
            if found is None:
                self._pool.went_home(self)
            return found

    def _hand_in(self, outcomes: Sequence[Outcome]) -> None:
        for task, found in outcomes:
            if isinstance(found, MtcliError):
                self._stream.fail([task], found)
        self._stream.finish([(task, found) for task, found in outcomes if not isinstance(found, MtcliError)])

    def _begin_again(self, engine: Engine, left: Sequence[Task], error: BaseException) -> None:
        """Go on with half as much at once, from now on."""
        left = [task for task in left if not self._stream.is_unwanted(task)]
        if len(left) == 1 and self._alone == left[0]:
            self._stream.fail(left, _too_large(left[0], error))
            return
        self._alone = left[0] if len(left) == 1 else None
        engine.shrink(len(left))
        if len(left) > 1:
            self._batch_tokens = max(len(task.source) for task in left) * (len(left) // 2)
            _log.warning("Out of memory with %d sentences at once; going on with half as many.", len(left))
        self._stream.give_back(left)


def _too_large(task: Task, error: BaseException) -> MtcliError:
    failure = MtcliError(
        f"Out of memory while translating one sentence of {len(task.source)} tokens. "
        "Use a smaller --beam-size, or --device cpu."
    )
    failure.__cause__ = error
    return failure
