"""Which sentences are decoded when, and which lines are whole. No tensors here, and no threads.

Lines come in windows. The sentences of a window are decoded by length, in one the longest first and in the next the
shortest, so that similar lengths are together also where windows meet. Equal sentences are decoded once; results
are remembered for those that come later, the newest of them, so that memory stays bounded however many lines come.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, TypeVar

from mtcli.decoding.search import Sentence, Task

Result = TypeVar("Result")

_REMEMBERED = 1 << 16


@dataclass(slots=True)
class _Line(Generic[Result]):
    """A line's results so far, one for each of its parts."""

    results: list[Result | None]
    missing: int


@dataclass(slots=True)
class _Sought(Generic[Result]):
    """A sentence in work, and the lines and places that wait for it."""

    sentence: Sentence
    waiting: list[tuple[_Line[Result], int]] = field(default_factory=list)


class Scheduler(Generic[Result]):
    """Takes lines in, hands their sentences out, and gives the lines back in order once they are whole.

    Attributes:
        num_waiting: sentences that nobody has taken yet.
        num_lines: lines that came in and have not come out.
        num_sentences: sentences that came in; num_distinct: how many of them were to be decoded.
    """

    def __init__(
        self, *, keys: Iterator[int] | None = None, merge_equal: bool = True, remember: int = _REMEMBERED
    ) -> None:
        """Make an empty scheduler.

        Args:
            keys: of the tasks, where they are to differ from those of other schedulers.
            merge_equal: whether equal sentences are decoded once.
            remember: results kept for equal sentences that may come later.
        """
        self._keys = count() if keys is None else keys
        self._merge_equal, self._remember = merge_equal, remember
        self._queue: deque[Task] = deque()
        self._lines: deque[_Line[Result]] = deque()
        self._sought: dict[int, _Sought[Result]] = {}  # by key
        self._key_of: dict[Sentence, int] = {}  # sentences in work
        self._results: OrderedDict[Sentence, Result] = OrderedDict()
        self._longest_first = True
        self.num_sentences = self.num_distinct = 0

    @property
    def num_waiting(self) -> int:
        return len(self._queue)

    @property
    def num_lines(self) -> int:
        return len(self._lines)

    @property
    def num_unfinished(self) -> int:
        """Sentences waiting or in work."""
        return len(self._sought)

    def add(self, window: Sequence[Sequence[Sentence]]) -> None:
        """Take in lines, each as the sentences it consists of; none for a line that there is nothing to decode of."""
        tasks: list[Task] = []
        for sentences in window:
            line: _Line[Result] = _Line([None] * len(sentences), len(sentences))
            self._lines.append(line)
            for place, sentence in enumerate(sentences):
                self.num_sentences += 1
                if sentence in self._results:
                    self._results.move_to_end(sentence)
                    _fill(line, place, self._results[sentence])
                    continue
                if not self._merge_equal or sentence not in self._key_of:
                    tasks.append(self._new_task(sentence))
                self._sought[self._key_of[sentence]].waiting.append((line, place))
        tasks.sort(key=lambda task: len(task.source), reverse=self._longest_first)
        self._longest_first = not self._longest_first
        self._queue.extend(tasks)

    def _new_task(self, sentence: Sentence) -> Task:
        key = self._key_of[sentence] = next(self._keys)
        self.num_distinct += 1
        self._sought[key] = _Sought(sentence)
        return Task(key, *sentence)

    def take(self, most: int, tokens: int, *, live: int = 0, longest: int = 0) -> list[Task]:
        """Hand out the next sentences, in order.

        Args:
            most: how many at most.
            tokens: bound on sentences x longest source, counting those in work already. A sentence that is longer
                alone is handed out when there is no other.
            live, longest: how many the caller has in work already, and the longest source of those, in tokens.
        """
        return take_fitting(self._queue, most, tokens, live=live, longest=longest)

    def give_back(self, tasks: Sequence[Task]) -> None:
        """Take sentences back that were not decoded after all; they are the next to be handed out."""
        self._queue.extendleft(reversed(tasks))

    def finish(self, task: Task, result: Result) -> None:
        """Note what became of a sentence."""
        sought = self._sought.pop(task.key)
        for line, place in sought.waiting:
            _fill(line, place, result)
        if not self._merge_equal:
            return
        del self._key_of[sought.sentence]
        self._results[sought.sentence] = result
        if len(self._results) > self._remember:
            self._results.popitem(last=False)

    @property
    def is_ready(self) -> bool:
        """Whether the next line is whole."""
        return bool(self._lines) and not self._lines[0].missing

    def ready(self) -> Iterator[list[Result]]:
        """The lines that are whole and have not come out yet, in order, each as the results of its sentences."""
        while self.is_ready:
            yield [result for result in self._lines.popleft().results if result is not None]


def _fill(line: _Line[Result], place: int, result: Result) -> None:
    line.results[place] = result
    line.missing -= 1


def take_fitting(queue: deque[Task], most: int, tokens: int, *, live: int, longest: int) -> list[Task]:
    """Take sentences off the front of a queue, as `Scheduler.take`."""
    taken: list[Task] = []
    while queue and len(taken) < most:
        longest = max(longest, len(queue[0].source))
        if live and (live + 1) * longest > tokens:
            break
        taken.append(queue.popleft())
        live += 1
    return taken


def token_batches(lengths: Sequence[int], max_tokens: int) -> Iterator[list[int]]:
    """Group sentences by length, the longest first.

    Args:
        lengths: tokens of each sentence.
        max_tokens: bound on sentences x longest length of a batch; a longer sentence gets a batch of its own.

    Yields:
        Indices into `lengths`; each index exactly once.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    batch: list[int] = []
    for index in order:
        if batch and (len(batch) + 1) * lengths[batch[0]] > max_tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
