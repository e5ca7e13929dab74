"""Lines read ahead, and given to a call in windows: enough at once to sort by length, never more than memory holds.

One thread reads lines. The caller's thread turns them into sentences, and results into what it wants; other threads
decode. They meet under the call's lock. No tensors here.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

from mtcli.decoding.search import Sentence
from mtcli.decoding.stream import MOMENT, Call

Line = TypeVar("Line")
Prepared = TypeVar("Prepared")
Result = TypeVar("Result")

LOOK_AHEAD = 2000  # lines sorted by length together
_FIRST = 64  # lines: somebody may wait for the first, or a kill come; each window may be twice the one before
_PATIENCE = 0.02  # seconds that a window waits to fill, where nobody waits for it


class Windows(Generic[Line]):
    """Lines, read some way ahead, of which windows are taken."""

    def __init__(self, lines: Iterable[Line], call: Call[Any], *, hurry: bool) -> None:
        """Begin to read: a sequence is there at once, anything else is read in a thread of its own.

        Args:
            lines: each is taken once.
            call: its lock guards everything here, and its `changed` is told of lines and of their end.
            hurry: whether somebody waits for the first lines.
        """
        self._lock, self._changed, self._hurry = call.lock, call.changed, hurry
        self._backlog: deque[Line] = deque()
        self._arrived = 0.0  # when the first of the backlog did
        self._closed = False
        self.limit = _FIRST
        self.error: BaseException | None = None
        self.ended = isinstance(lines, Sequence)
        if isinstance(lines, Sequence):
            self._backlog.extend(lines)
        else:
            threading.Thread(target=self._read, args=(lines,), daemon=True, name="reading").start()

    def _read(self, lines: Iterable[Line]) -> None:
        """Read all lines; what goes wrong is kept, for after the lines before it."""
        error: BaseException | None = None
        try:
            for line in lines:
                if not self._put(line):
                    return
        except BaseException as found:  # noqa: BLE001 (raised again in the caller's thread)
            error = found
        with self._lock:
            self.ended, self.error = True, error
            self._changed.notify_all()

    def _put(self, line: Line) -> bool:
        with self._lock:
            while len(self._backlog) >= LOOK_AHEAD and not self._closed:
                self._changed.wait()
            if not self._backlog:
                self._arrived = time.monotonic()
                self._changed.notify_all()
            self._backlog.append(line)
            if len(self._backlog) == LOOK_AHEAD:
                self._changed.notify_all()
            return not self._closed

    def close(self) -> None:
        """Let the reading thread come to an end."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()

    @property
    def is_over(self) -> bool:
        """Whether all lines were taken."""
        return self.ended and not self._backlog

    def take(self) -> list[Line]:
        """Take a window, if one is due; the next may be larger. To be called with the lock."""
        if not self._backlog or self.time_to_wait():
            return []
        window = list(islice(self._backlog, self.limit))
        for _ in window:
            self._backlog.popleft()
        self._arrived = time.monotonic()
        self.limit = min(2 * self.limit, LOOK_AHEAD)
        self._changed.notify_all()
        return window

    def time_to_wait(self) -> float | None:
        """Seconds to wait for more lines before a window is taken; None where there is no such wait."""
        if self._hurry or self.ended or not self._backlog or len(self._backlog) >= LOOK_AHEAD:
            return None
        left = self._arrived + _PATIENCE - time.monotonic()
        return left if left > 0 else None


class Beside(Protocol):
    """What a caller does with lines that came out, beside those that are still being decoded."""

    @property
    def num_lines(self) -> int:
        """Lines that it has not finished."""

    @property
    def is_due(self) -> bool:
        """Whether it can go on."""


class _Nothing:
    num_lines, is_due = 0, False


def in_order(
    call: Call[Result],
    windows: Windows[Line],
    prepare: Callable[[Sequence[Line]], Sequence[tuple[Prepared, Sequence[Sentence]]]],
    beside: Beside = _Nothing(),  # noqa: B008 (it has no state)
) -> Iterator[list[tuple[Prepared, list[Result]]]]:
    """Yield the lines, prepared, with their sentences' results, in order, some at a time, as soon as they are there.

    Args:
        call: used by nobody else.
        windows: of the call's lines.
        prepare: what to make of each of some lines, and what is to be decoded of it.
        beside: gets the turn, by an empty list, whenever it is due, until nothing is left of it; who makes it so tells
            `call.changed`.

    Raises:
        whatever reading or decoding raised.
    """
    waiting: deque[Prepared] = deque()  # lines that came in and have not come out
    while True:
        window, whole, is_last = _next(call, windows, beside)
        due = beside.is_due
        if whole or due:
            yield [(waiting.popleft(), results) for results in whole]
        if window:
            prepared = prepare(window)
            waiting.extend(line for line, _ in prepared)
            call.add([sentences for _, sentences in prepared], last=is_last)
        elif not whole and not due:
            break
    if windows.error is not None:
        raise windows.error


def _next(call: Call[Result], windows: Windows[Line], beside: Beside) -> tuple[list[Line], list[list[Result]], bool]:
    """Lines to prepare, results to hand out, and whether no other lines will come; neither at the end."""
    with call.lock:
        while True:
            window = [] if _has_enough(call, windows, beside) else windows.take()
            whole = call.ready()
            if window or whole or beside.is_due:
                return window, whole, windows.is_over
            if windows.is_over and not call.num_lines and not beside.num_lines:
                return window, whole, windows.is_over
            call.changed.wait(windows.time_to_wait() or MOMENT)


def _has_enough(call: Call[Result], windows: Windows[Line], beside: Beside) -> bool:
    """Whether the threads that decode will not need other lines soon."""
    return call.num_waiting >= windows.limit or call.num_lines + beside.num_lines >= 2 * LOOK_AHEAD
