"""One queue for all callers: their sentences go to whichever engine has room, results come back to each in order.

A call is one caller's lines on their way: a list, a file, a request to a server. Engines take sentences of all calls
in turn, so that a small call beside a large one need not wait for it, and a hundred small ones fill the slots that
one large one would. Each call has its own order, its own errors, and may be closed at any time. No tensors here.

Everything that threads share is guarded by one lock, the stream's.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from types import TracebackType
from typing import Generic, NamedTuple, Self, TypeVar

from mtcli.decoding.scheduler import Scheduler
from mtcli.decoding.search import Sentence, Task

Result = TypeVar("Result")

# Seconds between looks whether the program is ending. A signal that comes just before a thread begins to wait does not
# wake it: Python attends to it only when the wait is over.
MOMENT = 0.5
FAIR_SHARE = 16  # sentences at least, before others are left to another thread


class Load(NamedTuple):
    """Sentences of all calls: those that no engine has taken yet, and those that engines are decoding."""

    waiting: int
    in_work: int


class Call(Generic[Result]):
    """One caller's lines, from `Stream.open`: given in order, and given back in order once they are whole.

    A context manager that closes itself. One thread adds and takes.

    Attributes:
        lock: the stream's.
        changed: a condition of that lock; told when a line is whole, sentences are taken, or the call fails.
    """

    def __init__(
        self,
        stream: "Stream[Result]",
        scheduler: Scheduler[Result],
        decoded: Callable[[Task, Result], None],
        when_ready: Callable[[], None] | None,
    ) -> None:
        """For `Stream.open`."""
        self._stream, self._scheduler, self._decoded = stream, scheduler, decoded
        self.when_ready = when_ready
        # `with` takes a lock in one go, but a condition in two: a signal's exception in between would keep it locked
        self.lock, self.changed = stream.lock, threading.Condition(stream.lock)
        self._caller = threading.current_thread()
        self._ended = self._closed = False
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def add(self, window: Sequence[Sequence[Sentence]], *, last: bool = False) -> None:
        """Give lines, each as the sentences it consists of; none for a line that there is nothing to decode of.

        Args:
            window: lines to be sorted by length together.
            last: whether no others will come.
        """
        with self.lock:
            self._scheduler.add(window)
            self._ended = self._ended or last
            self._stream.sentences_came()

    def ready(self) -> list[list[Result]]:
        """Take the lines that are whole and have not been taken yet, in order, as the results of their sentences.

        Raises:
            whatever decoding raised.
        """
        with self.lock:
            if self._error is not None:
                raise self._error
            return list(self._scheduler.ready())

    def fail(self, error: BaseException) -> None:
        """Let the caller know that decoding is impossible, and forget the call's sentences."""
        with self.lock:
            self._error = self._error or error
            self.close()

    def close(self) -> None:
        """Give the call up, if it is not done: sentences of it in work leave their slots at the next step."""
        with self.lock:
            self._closed = True
            self._stream.forget(self)
            self.changed.notify_all()

    @property
    def num_waiting(self) -> int:
        """Sentences that no engine has taken yet."""
        return self._scheduler.num_waiting

    @property
    def num_lines(self) -> int:
        """Lines given and not taken back."""
        return self._scheduler.num_lines

    @property
    def is_closed(self) -> bool:
        return self._closed

    @property
    def may_need_engines(self) -> bool:
        """Whether there is, or will be, something to decode."""
        return not self._ended or self._scheduler.num_unfinished > 0

    @property
    def is_abandoned(self) -> bool:
        """Whether the program is ending, and the caller with it."""
        return not self._caller.is_alive() and not threading.main_thread().is_alive()

    # For the stream, which holds its lock:

    def take(self, most: int, tokens: int, *, live: int, longest: int) -> list[Task]:
        """Hand out sentences, as `Scheduler.take`."""
        taken = self._scheduler.take(most, tokens, live=live, longest=longest)
        if taken:
            self.changed.notify_all()
        return taken

    def finish(self, task: Task, result: Result) -> None:
        """Note what became of a sentence."""
        self._scheduler.finish(task, result)
        self._decoded(task, result)
        if self._scheduler.is_ready or not self._scheduler.num_unfinished:
            self.changed.notify_all()

    def give_back(self, tasks: Sequence[Task]) -> None:
        """Take sentences back that were not decoded after all."""
        self._scheduler.give_back(tasks)


class Stream(Generic[Result]):
    """The sentences of all calls, for some threads that decode them.

    Attributes:
        lock: of everything here.
        num_given_up: calls closed so far with sentences in work.
    """

    def __init__(self, num_workers: int, need_workers: Callable[[int], None] = lambda number: None) -> None:
        """Begin without calls.

        Args:
            num_workers: threads that may take sentences.
            need_workers: told, under the lock, how many threads the sentences at hand are enough for.
        """
        self.lock = threading.RLock()
        self._work = threading.Condition(self.lock)  # told when sentences come, and when there will be no others
        self._num_workers, self._need_workers = num_workers, need_workers
        self._calls: deque[Call[Result]] = deque()
        self._in_work: dict[int, Call[Result]] = {}  # by a task's key
        self._keys = count()
        self.num_given_up = 0

    def open(
        self,
        *,
        merge_equal: bool = True,
        decoded: Callable[[Task, Result], None] = lambda task, result: None,
        when_ready: Callable[[], None] | None = None,
    ) -> Call[Result]:
        """Begin a call.

        Args:
            merge_equal: whether equal sentences of the call are decoded once.
            decoded: told of each sentence of the call that was decoded, by the thread that did; no two calls at once.
            when_ready: called by such a thread, without the lock, when a line is whole or the call has failed.
        """
        call = Call(self, Scheduler[Result](keys=self._keys, merge_equal=merge_equal), decoded, when_ready)
        with self.lock:
            self._calls.append(call)
        return call

    def sentences_came(self) -> None:
        """Let the threads that decode know of more sentences, or that there will be no others."""
        with self.lock:
            at_hand = sum(call.num_waiting for call in self._calls) + len(self._in_work)
            self._need_workers(min(self._num_workers, -(-at_hand // FAIR_SHARE)))
            self._work.notify_all()

    def forget(self, call: Call[Result]) -> None:
        """Hand out nothing of a call any more."""
        with self.lock:
            if call in self._calls:
                self._calls.remove(call)
            given_up = [key for key, owner in self._in_work.items() if owner is call]
            for key in given_up:
                del self._in_work[key]
            self.num_given_up += bool(given_up)
            self._work.notify_all()

    @property
    def load(self) -> "Load":
        """How many sentences are there now."""
        with self.lock:
            return Load(sum(call.num_waiting for call in self._calls), len(self._in_work))

    def is_unwanted(self, task: Task) -> bool:
        """Whether nobody waits for a sentence in work any more."""
        return task.key not in self._in_work

    # For the threads that decode:

    def take(self, most: int, tokens: int, *, live: int, longest: int) -> list[Task] | None:
        """Take sentences to decode, of all calls in turn, as `Scheduler.take`; waits if there are none in work.

        Returns:
            The sentences; None if the caller has none in work and, as far as is known, none will come.
        """
        with self.lock:
            while True:
                self._close_abandoned()
                waiting = sum(call.num_waiting for call in self._calls)
                share = max(FAIR_SHARE, -(-(waiting + live) // self._num_workers) - live)
                taken = self._take_in_turn(min(most, share), tokens, live=live, longest=longest)
                if taken or live:
                    return taken
                if not any(call.may_need_engines for call in self._calls):
                    return None
                self._work.wait(MOMENT)

    def _close_abandoned(self) -> None:
        for call in [call for call in self._calls if call.is_abandoned]:
            call.close()

    def _take_in_turn(self, most: int, tokens: int, *, live: int, longest: int) -> list[Task]:
        """Equal parts of what each call has, then what is left of any."""
        taken: list[Task] = []
        for part in (-(-most // max(1, len(self._calls))), most):
            for call in self._calls:
                some = call.take(min(part, most - len(taken)), tokens, live=live + len(taken), longest=longest)
                longest = max([longest, *(len(task.source) for task in some)])
                taken += some
                self._in_work.update((task.key, call) for task in some)
            if len(self._calls) <= 1 or len(taken) == most:
                break
        self._calls.rotate(-1)
        return taken

    def finish(self, done: Sequence[tuple[Task, Result]]) -> None:
        """Hand in results; those of closed calls are forgotten."""
        ready = []
        with self.lock:
            for task, result in done:
                if (call := self._in_work.pop(task.key, None)) is not None:
                    call.finish(task, result)
                    ready.append(call)
            if done and not any(call.may_need_engines for call in self._calls):
                self._work.notify_all()  # the others may go home
        for call in dict.fromkeys(ready):
            if call.when_ready is not None:
                call.when_ready()

    def give_back(self, tasks: Sequence[Task]) -> None:
        """Hand back sentences that were not decoded after all; they are the next of their calls."""
        with self.lock:
            by_call: dict[Call[Result], list[Task]] = {}
            for task in tasks:
                if (call := self._in_work.pop(task.key, None)) is not None:
                    by_call.setdefault(call, []).append(task)
            for call, given in by_call.items():
                call.give_back(given)
            self._work.notify_all()

    def fail(self, tasks: Sequence[Task], error: BaseException) -> None:
        """Let the calls that these sentences belong to fail."""
        with self.lock:
            calls = dict.fromkeys(call for task in tasks if (call := self._in_work.get(task.key)) is not None)
            for call in calls:
                call.fail(error)
        for call in calls:
            if call.when_ready is not None:
                call.when_ready()

    def fail_all(self, error: BaseException) -> None:
        """Let every call fail."""
        with self.lock:
            calls = list(self._calls)
            for call in calls:
                call.fail(error)
        for call in calls:
            if call.when_ready is not None:
                call.when_ready()
