"""Work on a long stream shared among processes; the results come in the stream's order, however many there are.

The processes are started afresh (spawn), so that nothing of this one's threads or memory goes into them. Each
has one task at a time and ends when its pipe does: whatever becomes of this process, none stays behind.
"""

import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Generic, Protocol, TypeVar

from mtcli.errors import MtcliError

Task = TypeVar("Task")
Result = TypeVar("Result")
TaskIn = TypeVar("TaskIn", contravariant=True)
ResultOut = TypeVar("ResultOut", covariant=True)
_PATIENCE = 5.0  # seconds that a process gets to end by itself


class Job(Protocol[TaskIn, ResultOut]):
    """What to do with each task; goes to other processes, so it holds plain values alone."""

    def begin(self) -> Callable[[TaskIn], ResultOut]:
        """Load what it takes, once in each process; the function works on one task."""


def in_order(
    job: Job[Task, Result], tasks: Iterable[Task], num_processes: int, *, alone: int = 0
) -> Generator[Result, None, None]:
    """The results of a job on each task, in order.

    Args:
        num_processes: 1 works in this process.
        alone: tasks at the beginning that this process works on by itself; others are started only for more.

    Raises:
        MtcliError: another process died. What a task raises is raised here.
    """
    stream = iter(tasks)
    here = job.begin() if alone or num_processes == 1 else None
    if here:
        yield from map(here, stream if num_processes == 1 else islice(stream, alone))
    for first in islice(stream, 1):  # where there is one
        with _crew(job, num_processes) as idle:
            busy: deque[_Worker[Task, Result]] = deque()
            for task in _chain(first, stream):
                results = [busy[0].receive()] if not idle else []
                worker = idle.popleft() if idle else busy.popleft()
                worker.send(task)
                busy.append(worker)
                yield from results
            while busy:
                yield busy.popleft().receive()


def _chain(first: Task, rest: Iterable[Task]) -> Iterator[Task]:
    yield first
    yield from rest


@dataclass(frozen=True)
class _Failure:
    """What a task raised."""

    error: Exception


class _Worker(Generic[Task, Result]):
    def __init__(self, job: Job[Task, Result]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(target=_work, args=(job, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def send(self, task: Task) -> None:
        try:
            self._pipe.send(task)
        except OSError:
            raise self._death() from None

    def receive(self) -> Result:
        try:
            result: Result | _Failure = self._pipe.recv()
        except (EOFError, OSError):
            raise self._death() from None
        if isinstance(result, _Failure):
            raise result.error
        return result

    def _death(self) -> MtcliError:
        self._process.join(_PATIENCE)
        return MtcliError(
            f"A process that prepares the data died (exit code {self._process.exitcode}; -9 often means that memory "
            "ran out). Run the command again, with fewer processes if it is memory: OMP_NUM_THREADS=1."
        )

    def close(self) -> None:
        """Let it end."""
        self._pipe.close()

    def stop(self, patience: float) -> None:
        """See that it has ended after so many seconds."""
        self._process.join(patience)
        if self._process.exitcode is None:
            self._process.terminate()
            self._process.join()
        self._process.close()


@contextmanager
def _crew(job: Job[Task, Result], size: int) -> Iterator[deque[_Worker[Task, Result]]]:
    workers: list[_Worker[Task, Result]] = []
    patience = 0.0
    try:
        with _interrupts_held_back():
            workers.extend(_Worker(job) for _ in range(size))
        yield deque(workers)
        patience = _PATIENCE
    finally:
        for worker in workers:
            worker.close()
        for worker in workers:
            worker.stop(patience)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Processes started here never see Ctrl-C, which a terminal sends to all: this one tells them when to end.

    Nor is this one interrupted between starting a process and telling it what to do.
    """
    resource_tracker.ensure_running()  # it would let interrupts through when the first process starts it
    with _interrupts_noted(), _interrupts_blocked():
        yield


@contextmanager
def _interrupts_noted() -> Iterator[None]:
    """Another thread may receive what this one blocks, and then it is for the main thread to raise."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: received.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if received:
            signal.raise_signal(signal.SIGINT)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """A process inherits what is blocked."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(job: Job[Task, Result], pipe: Connection) -> None:
    """The life of a process: tasks in, results out, until nobody is at the other end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work = job.begin()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            task = pipe.recv()
            try:
                result: Result | _Failure = work(task)
            except Exception as error:  # noqa: BLE001 (raised again where the result is taken)
                result = _Failure(error)
            pipe.send(result)
