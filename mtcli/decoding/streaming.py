"""Reading ahead of the translator without ever making a waiting reader wait."""

import queue
import threading
from collections.abc import Iterable, Iterator

_END = object()


def arriving_windows(lines: Iterable[str], size: int) -> Iterator[list[str]]:
    """Group lines as they arrive: whatever is there when asked, at least one line, at most `size`.

    A thread reads ahead, `size` lines at most. An error in reading is raised here, after the lines before it.
    """
    arrived: queue.Queue[object] = queue.Queue(maxsize=size)

    def read() -> None:
        try:
            for line in lines:
                arrived.put(line)
            arrived.put(_END)
        except BaseException as error:  # noqa: BLE001 (raised again in the reader's thread)
            arrived.put(error)

    threading.Thread(target=read, daemon=True).start()
    while True:
        window: list[str] = []
        item = arrived.get()
        while isinstance(item, str):
            window.append(item)
            if len(window) == size:
                break
            try:
                item = arrived.get_nowait()
            except queue.Empty:
                break
        if window:
            yield window
        if isinstance(item, BaseException):
            raise item
        if item is _END:
            return
