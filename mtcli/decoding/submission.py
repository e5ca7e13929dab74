"""Lines of `Translator.submit` on their way; the engines' threads resolve their futures."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from mtcli.decoding.repair import Finishing, LineRepair
from mtcli.decoding.search import Hypothesis, Sentence
from mtcli.decoding.stream import Call
from mtcli.translation import Translation

Prepared = TypeVar("Prepared")
OpenCall = Callable[[Callable[[], None]], Call[list[Hypothesis]]]
"""Opens the call; told when a line is whole."""
OpenFinishing = Callable[[Callable[[], None]], Finishing]
"""Makes what holds lines back that are repaired; told when it can go on."""
Make = Callable[[Sequence[tuple[Prepared, Sequence[list[Hypothesis]]]]], Sequence[Translation | LineRepair]]
"""From lines with their hypotheses to their translations, or what repairs them."""


class Submission(Generic[Prepared]):
    """Lines that were given at once.

    Attributes:
        futures: one for each; when all are cancelled, the engines are freed of the lines.
    """

    def __init__(
        self,
        prepared: Sequence[tuple[Prepared, list[Sentence]]],
        open_call: OpenCall,
        make: Make[Prepared],
        open_finishing: OpenFinishing,
    ) -> None:
        """Begin to translate lines, each as what it was made into and what is to be decoded of it."""
        self._make = make
        self._waiting = deque(line for line, _ in prepared)
        self.futures: list[Future[Translation]] = [Future() for _ in prepared]
        self._left = deque(self.futures)
        self._resolving = threading.Lock()
        self._call = open_call(self._resolve)
        self._finishing = open_finishing(self._resolve)
        for future in self.futures:
            future.add_done_callback(self._close_if_unwanted)
        self._call.add([sentences for _, sentences in prepared], last=True)
        self._resolve()  # lines that there is nothing to decode of

    def _resolve(self) -> None:
        with self._resolving:
            try:
                if ready := [(self._waiting.popleft(), hypotheses) for hypotheses in self._call.ready()]:
                    self._finishing.take(self._make(ready))
                for translation in self._finishing.ready():
                    _resolve_one(self._left.popleft(), translation)
            except BaseException as error:  # noqa: BLE001 (raised again by whoever asks for a result)
                self._close()
                while self._left:
                    future = self._left.popleft()
                    if future.set_running_or_notify_cancel():
                        future.set_exception(error)
            if not self._left:
                self._close()

    def _close(self) -> None:
        self._call.close()
        self._finishing.close()

    def _close_if_unwanted(self, future: "Future[Translation]") -> None:
        if future.cancelled() and all(other.done() for other in self.futures):
            self._close()


def _resolve_one(future: "Future[Translation]", translation: Translation) -> None:
    if future.set_running_or_notify_cancel():
        future.set_result(translation)
