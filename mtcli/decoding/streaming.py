"""Reading ahead of the translator without ever making a waiting reader wait."""

import threading
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

Line = TypeVar("Line")


def arriving_windows(lines: Iterable[Line], size: int, first: int | None = None) -> Iterator[list[Line]]:
    """Group lines as they arrive: whatever is there when asked, at least one line, at most `size`.

    A thread reads ahead, `size` lines at most. An error in reading is raised here, after the lines before it.

    Args:
        lines: a line of any type each; read in a thread of its own.
        size: the largest group.
        first: the largest first group, where somebody waits for it; each may be twice the one before.
    """
    backlog: _Backlog[Line] = _Backlog(size)

    def read() -> None:
        try:
            for line in lines:
                backlog.put(line)
            backlog.end(None)
        except BaseException as error:  # noqa: BLE001 (raised again in the reader's thread)
            backlog.end(error)

    threading.Thread(target=read, daemon=True).start()
    limit = min(first or size, size)
    while window := backlog.take(limit):
        yield window
        limit = min(2 * limit, size)


class _Backlog(Generic[Line]):
    """Lines read and not yet taken, at most `size`; a lock for a whole window, where a queue has one for each line."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._changed = threading.Condition()
        self._lines: list[Line] = []
        self._ended = False
        self._error: BaseException | None = None

    def put(self, line: Line) -> None:
        """Add a line, once there is room for it."""
        with self._changed:
            while len(self._lines) >= self._size:
                self._changed.wait()
            self._lines.append(line)
            if len(self._lines) == 1:
                self._changed.notify()

    def end(self, error: BaseException | None) -> None:
        """Nothing more will come, because of `error` if there was one."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify()

    def take(self, limit: int) -> list[Line]:
        """Up to `limit` lines, once there is one; none at the end, where a reader's error is raised."""
        with self._changed:
            while not self._lines and not self._ended:
                self._changed.wait()
            taken, self._lines = self._lines[:limit], self._lines[limit:]
            self._changed.notify()
        if not taken and self._error is not None:
            raise self._error
        return taken
