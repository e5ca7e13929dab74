"""Reading ahead of the translator without ever making a waiting reader wait."""

import queue
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Line = TypeVar("Line")


@dataclass(frozen=True, slots=True)
class _Arrived(Generic[Line]):
    line: Line


def arriving_windows(lines: Iterable[Line], size: int, first: int | None = None) -> Iterator[list[Line]]:
    """Group lines as they arrive: whatever is there when asked, at least one line, at most `size`.

    A thread reads ahead, `size` lines at most. An error in reading is raised here, after the lines before it.

    Args:
        lines: a line of any type each; read in a thread of its own.
        size: the largest group.
        first: the largest first group, where somebody waits for it; each may be twice the one before.
    """
    arrived: queue.Queue[_Arrived[Line] | BaseException | None] = queue.Queue(maxsize=size)

    def read() -> None:
        try:
            for line in lines:
                arrived.put(_Arrived(line))
            arrived.put(None)
        except BaseException as error:  # noqa: BLE001 (raised again in the reader's thread)
            arrived.put(error)

    threading.Thread(target=read, daemon=True).start()
    limit = min(first or size, size)
    while True:
        window, end = _take(arrived, limit)
        if window:
            yield window
        if isinstance(end, BaseException):
            raise end
        if end is None:
            return
        limit = min(2 * limit, size)


def _take(
    arrived: "queue.Queue[_Arrived[Line] | BaseException | None]", limit: int
) -> tuple[list[Line], _Arrived[Line] | BaseException | None]:
    """Up to `limit` lines, waiting for the first alone; and the last item met, which tells whether more may come."""
    window: list[Line] = []
    item = arrived.get()
    while isinstance(item, _Arrived):
        window.append(item.line)
        if len(window) == limit:
            break
        try:
            item = arrived.get_nowait()
        except queue.Empty:
            break
    return window, item
