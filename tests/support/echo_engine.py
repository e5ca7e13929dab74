"""An engine that needs nothing: it says every sentence again. It can stand where the native engine is."""

from collections.abc import Callable, Sequence

from mtcli.decoding.engines import Outcome
from mtcli.decoding.search import Hypothesis, SearchOptions, Task
from mtcli.model_directory.model import Model


def obstacle(model: Model, options: SearchOptions, *, dtype: str) -> str | None:
    return "The echo has one voice." if options.beam_size > 8 else None


class NativeEngines:
    """Makes engines (`mtcli.decoding.engines.Engines`)."""

    def __init__(
        self, model: Model, options: SearchOptions, *, independent: bool = True, dtype: str = "float32"
    ) -> None:
        self.options, self.num_workers, self.num_threads = options, 1, 1
        self.dtype, self.independent = dtype, independent
        assert model.read_weights()

    def make(self, max_slots: int | None, num_workers: int) -> "EchoEngine":
        return EchoEngine()


class EchoEngine:
    """Says sentences again (`mtcli.decoding.engines.Engine`)."""

    max_slots = 8
    threads = 1

    def __init__(self) -> None:
        self._tasks: list[Task] = []

    @property
    def num_live(self) -> int:
        return len(self._tasks)

    @property
    def num_free(self) -> int:
        return self.max_slots - self.num_live

    @property
    def longest_source(self) -> int:
        return max((len(task.source) for task in self._tasks), default=0)

    def admit(self, tasks: Sequence[Task]) -> None:
        self._tasks += tasks

    def advance(self) -> list[Outcome]:
        return [(task, [self._echo(task)]) for task in self.reset()]

    @staticmethod
    def _echo(task: Task) -> Hypothesis:
        return Hypothesis(list(task.source[:-1]), -1.0, -1.0 / len(task.source))

    def drop(self, is_unwanted: Callable[[Task], bool]) -> None:
        self._tasks = [task for task in self._tasks if not is_unwanted(task)]

    def reset(self) -> list[Task]:
        left, self._tasks = self._tasks, []
        return left

    def shrink(self, failed: int) -> None:
        self.max_slots = max(1, failed // 2)
