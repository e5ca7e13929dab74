"""Batches ready when they are wanted: on a GPU a thread makes the next ones while the device computes."""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
_AHEAD = 3  # steps


@dataclass(frozen=True)
class _Failure:
    error: BaseException


class Ahead(Generic[T]):
    """Makes things in order, a few ahead of whoever takes them, in a thread of its own."""

    def __init__(self, make: Iterator[T]) -> None:
        self._make = make
        self._made: queue.Queue[T | _Failure] = queue.Queue(_AHEAD)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="batches", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            for thing in self._make:
                if not self._put(thing):
                    return
        except BaseException as error:  # noqa: BLE001 (raised again where it is taken)
            self._put(_Failure(error))

    def _put(self, thing: "T | _Failure") -> bool:
        while not self._closed.is_set():
            try:
                self._made.put(thing, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def take(self) -> T:
        """The next thing; an error of making it is raised here."""
        thing = self._made.get()
        if isinstance(thing, _Failure):
            raise thing.error
        return thing

    def close(self) -> None:
        """Stop making more."""
        self._closed.set()
        self._thread.join()


def taker(make: Iterator[T], *, ahead: bool) -> tuple[Callable[[], T], Callable[[], None]]:
    """How to take the next thing, and how to close; made ahead in a thread or when it is taken."""
    if not ahead:
        return (lambda: next(make)), (lambda: None)
    thread = Ahead(make)
    return thread.take, thread.close
