"""Lines on their way from the engines to the caller, in order: those at fault wait here for their repairs."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass

from mtcli.decoding.repair.words import Answers, Ask
from mtcli.decoding.search import Hypothesis
from mtcli.decoding.stream import Call
from mtcli.translation import Translation

LineRepair = Generator[Ask, Answers, Translation]
"""Asks for sentences, is sent what came of them, and returns the line's translation at last."""
OpenCall = Callable[[Callable[[], None]], Call[list[Hypothesis]]]
"""Opens a call of engines that search with all hypotheses kept; what it is given is called when a result is there."""
Word = Callable[[Sequence[Sequence[Hypothesis]]], Answers]
"""Makes text of hypotheses."""


@dataclass(slots=True)
class _Line:
    """A line that came in: its translation, or its repair until that has ended."""

    translation: Translation | None
    repair: LineRepair | None = None


class Finishing:
    """Holds a caller's lines back until they are repaired. One thread at a time.

    Attributes:
        is_due: whether something has come since `ready` was asked.
    """

    def __init__(self, open_call: OpenCall, word: Word, wake: Callable[[], None]) -> None:
        """Begin without lines.

        Args:
            open_call, word: as their types say.
            wake: called by a thread that decodes, when `ready` should be asked.
        """
        self._open_call, self._word, self._wake = open_call, word, wake
        self._lines: deque[_Line] = deque()
        self._call: Call[list[Hypothesis]] | None = None  # opened for the first line at fault
        self._waiting: deque[_Line] = deque()  # for the call's results, in its order
        self.is_due = self._is_closed = False

    @property
    def num_lines(self) -> int:
        """Lines that have come in and not gone out."""
        return len(self._lines)

    def take(self, lines: Iterable[Translation | LineRepair]) -> None:
        """Take lines in, some with a repair to go through."""
        for one in lines:
            line = _Line(one) if isinstance(one, Translation) else _Line(None, one)
            self._lines.append(line)
            if line.repair is not None:
                self._go_on(line, None)

    def ready(self) -> list[Translation]:
        """Take out the lines that are finished, in order.

        Raises:
            whatever decoding raised.
        """
        self.is_due = False
        while self._poll():
            pass
        finished = []
        while self._lines and (translation := self._lines[0].translation) is not None:
            self._lines.popleft()
            finished.append(translation)
        return finished

    def close(self) -> None:
        """Give up what is under way."""
        self._is_closed = True
        if self._call is not None:
            self._call.close()

    def _poll(self) -> bool:
        """Go on with the repairs whose sentences are decoded; whether there were any."""
        any_came = False
        for found in self._call.ready() if self._call is not None else ():
            any_came = True
            self._go_on(self._waiting.popleft(), self._word(found))
        return any_came

    def _go_on(self, line: _Line, answers: Answers | None) -> None:
        assert line.repair is not None, "it waits for these"
        try:
            ask = line.repair.send(answers)  # type: ignore[arg-type]  # None begins a generator
        except StopIteration as end:
            line.translation, line.repair = end.value, None
            return
        if self._call is None:
            self._call = self._open_call(self._came)
        self._waiting.append(line)
        self._call.add([ask.sentences])
        if self._is_closed:  # by another thread, meanwhile
            self._call.close()

    def _came(self) -> None:
        self.is_due = True
        self._wake()
