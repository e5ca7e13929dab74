"""What passes between the threads of a translation: lines read, sentences to decode, results. No tensors here.

One thread reads lines ahead. The caller's thread turns them into sentences, and results into what it wants. Other
threads decode. They meet here, under one lock.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Generic, TypeVar

from mtcli.decoding.scheduler import Scheduler, Source
from mtcli.decoding.search import Task

Line = TypeVar("Line")
Prepared = TypeVar("Prepared")
Result = TypeVar("Result")

_LOOK_AHEAD = 2000  # lines sorted by length together
_FIRST = 64  # where somebody waits for the first line; then each window may be twice the one before
_PATIENCE = 0.02  # seconds that a window waits to fill, where nobody waits for it
# Seconds between looks whether the program is ending. A signal that comes just before a thread begins to wait does not
# wake it: Python attends to it only when the wait is over.
MOMENT = 0.5
FAIR_SHARE = 16  # sentences at least, before others are left to another thread


class Closed(Exception):  # noqa: N818 (no error: the caller wants no more)
    """Nobody wants the results any more."""


class Flow(Generic[Line, Prepared, Result]):
    """Lines in, their results out in order.

    The decoding threads call `take`, `finish`, `give_back` and `fail`; the caller iterates `results`.
    """

    def __init__(
        self,
        scheduler: Scheduler[Result],
        workers: int,
        *,
        hurry: bool,
        finished: Callable[[Task, Result], None] = lambda task, result: None,
    ) -> None:
        """Start empty.

        Args:
            scheduler: used by nobody else.
            workers: threads that will call `take`.
            hurry: whether somebody waits for the first lines.
            finished: told of every sentence that was decoded; no two calls at once.
        """
        self._scheduler, self._workers, self._hurry, self._finished = scheduler, workers, hurry, finished
        # `with` takes a lock in one go, but a condition in two: a signal's exception in between would keep it locked
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._caller = threading.current_thread()
        self._backlog: deque[Line] = deque()
        self._arrived = 0.0  # when the first of the backlog did
        self._ended = self._closed = False
        self._preparing = False  # whether lines are between the backlog and the scheduler
        self._reading_error: BaseException | None = None
        self._error: BaseException | None = None

    def read(self, lines: Iterable[Line]) -> None:
        """Read all lines, some way ahead; what goes wrong is raised from `results`, after the lines before it."""
        try:
            for line in lines:
                if not self._put(line):
                    return
            self._end(None)
        except BaseException as error:  # noqa: BLE001 (raised again in the caller's thread)
            self._end(error)

    def _put(self, line: Line) -> bool:
        with self._lock:
            while len(self._backlog) >= _LOOK_AHEAD and not self._closed:
                self._changed.wait()
            if not self._backlog:
                self._arrived = time.monotonic()
                self._changed.notify_all()
            self._backlog.append(line)
            if len(self._backlog) == _LOOK_AHEAD:
                self._changed.notify_all()
            return not self._closed

    def _end(self, error: BaseException | None) -> None:
        with self._lock:
            self._ended, self._reading_error = True, error
            self._changed.notify_all()

    def close(self) -> None:
        """Let all threads come to an end."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()

    def results(
        self,
        prepare: Callable[[Line], tuple[Prepared, Sequence[Source]]],
        work: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[Prepared, list[Result]]]:
        """The lines, prepared, with the results of their sentences, in order, as soon as they are there.

        Args:
            prepare: what to make of a line, and what is to be decoded of it.
            work: does a little of the decoding and says whether there was any to do, where no other threads decode.

        Raises:
            whatever reading or decoding raised.
        """
        limit = _FIRST if self._hurry else _LOOK_AHEAD
        waiting: deque[Prepared] = deque()  # lines that came in and have not come out
        while True:
            window, whole = self._next(limit, work)
            for results in whole:
                yield waiting.popleft(), results
            if window:
                limit = min(2 * limit, _LOOK_AHEAD)
                prepared = [prepare(line) for line in window]
                waiting.extend(line for line, _ in prepared)
                with self._lock:
                    self._scheduler.add([sources for _, sources in prepared])
                    self._preparing = False
                    self._changed.notify_all()
            elif not whole:
                break
        if self._reading_error is not None:
            raise self._reading_error

    def _next(self, limit: int, work: Callable[[], bool] | None) -> tuple[list[Line], list[list[Result]]]:
        """Lines to prepare and results to hand out, waiting or working for either; neither at the end."""
        may_work = work is not None
        while True:
            with self._lock:
                if self._error is not None:
                    raise self._error
                window = self._window(limit)
                whole = list(self._scheduler.ready())
                if window or whole or (self._ended and not self._backlog and not self._scheduler.num_lines):
                    return window, whole
                if not may_work:
                    self._changed.wait(self._time_to_wait() or MOMENT)
            if work is not None:
                may_work = work()

    def _window(self, limit: int) -> list[Line]:
        """Lines to prepare now, if there are and the decoding threads will soon need them."""
        is_full = self._scheduler.num_waiting >= limit or self._scheduler.num_lines >= 2 * _LOOK_AHEAD
        if not self._backlog or is_full or self._time_to_wait():
            return []
        window = list(islice(self._backlog, limit))
        for _ in window:
            self._backlog.popleft()
        self._arrived = time.monotonic()
        self._preparing = True
        self._changed.notify_all()
        return window

    def _time_to_wait(self) -> float | None:
        """Seconds to wait for more lines before a window is taken; None where there is no such wait."""
        if self._hurry or self._ended or not self._backlog or len(self._backlog) >= _LOOK_AHEAD:
            return None
        left = self._arrived + _PATIENCE - time.monotonic()
        return left if left > 0 else None

    def take(self, most: int, tokens: int, *, live: int, longest: int, wait: bool = True) -> list[Task]:
        """Sentences to decode, as `Scheduler.take`; none at the end.

        Args:
            wait: for a sentence, if the caller has none in work.

        Raises:
            Closed: nobody wants the results any more.
        """
        with self._lock:
            while True:
                if self._closed or self._error is not None or is_abandoned(self._caller):
                    raise Closed
                most = min(most, fair_share(self._scheduler.num_waiting, live, self._workers))
                tasks = self._scheduler.take(most, tokens, live=live, longest=longest)
                if tasks:
                    self._changed.notify_all()
                if tasks or live or not wait or self._is_over():
                    return tasks
                self._changed.wait(MOMENT)

    def _is_over(self) -> bool:
        return self._ended and not self._backlog and not self._preparing and not self._scheduler.num_unfinished

    def finish(self, done: Sequence[tuple[Task, Result]]) -> None:
        """Hand in results."""
        with self._lock:
            for task, result in done:
                self._scheduler.finish(task, result)
                self._finished(task, result)
            if self._scheduler.is_ready or not self._scheduler.num_unfinished:
                self._changed.notify_all()

    def give_back(self, tasks: Sequence[Task]) -> None:
        """Hand back sentences that could not be decoded."""
        with self._lock:
            self._scheduler.give_back(tasks)
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Let the caller know that decoding is impossible."""
        with self._lock:
            self._error = self._error or error
            self._changed.notify_all()


def fair_share(waiting: int, live: int, workers: int) -> int:
    """How many sentences a thread that has `live` should take, so that others get as many."""
    return max(FAIR_SHARE, -(-(waiting + live) // workers) - live)


def is_abandoned(caller: threading.Thread) -> bool:
    """Whether the program is ending and `caller` with it, so that nobody will take what is still being decoded."""
    return not caller.is_alive() and not threading.main_thread().is_alive()
