"""Section `kernels`: every operation against its plain form and PyTorch's best, each in a process of its own.

What breaks the process, or the device for it, leaves the others alone. On a CPU the Triton kernels cannot run: there
what mtcli takes in their place is measured. The caches are not emptied there, since in a model what computed the
inputs has just left them there; see `Ceilings.bandwidth`.
"""

import importlib
import multiprocessing
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

from mtcli.bench.record.findings import Findings
from mtcli.bench.record.schema import BenchRow, Ceilings
from mtcli.bench.settings import OPERATIONS, BenchSettings, silent

# Shares of the time; what one leaves over goes to those behind it.
SHARES = dict(zip(OPERATIONS, (38, 14, 14, 17, 17), strict=True))
MOST_PROCESSES = 3  # for each operation: one breaks down, another goes on behind the case it broke on
GRACE = 20.0  # seconds beyond its time after which a process counts as hanging


@dataclass(frozen=True, kw_only=True)
class OperationTask:
    """What a process is told: the operation, its module, and the case to begin with; it ends after so many seconds."""

    name: str
    module: str
    settings: BenchSettings
    ceilings: Ceilings
    seconds: float
    first: int = 0


@dataclass(frozen=True)
class CaseReport:
    """What a process says of a case.

    Attributes:
        number, title: of the case; the number counts from 0.
        rows: what to record if the process ends here: once `is_over` what was found.
        seconds: since the process could begin.
        num_left: cases from this one on, if there is no time for it.
        is_broken: nothing can run in this process any more.
    """

    number: int
    title: str
    rows: tuple[BenchRow, ...]
    seconds: float
    is_over: bool = False
    num_left: int = 0
    is_broken: bool = False


def measure_kernels(settings: BenchSettings, findings: Findings) -> None:
    """Check every variant of every case, and time those that are right; what is found is saved case by case."""
    assert findings.ceilings is not None
    names = settings.operations or OPERATIONS
    plain = replace(settings, say=silent)  # what goes to another process holds plain values alone
    left = settings.left()
    for number, name in enumerate(names):
        share = left * SHARES[name] / sum(SHARES[later] for later in names[number:])
        module = f"{__package__}.{name}"
        task = OperationTask(name=name, module=module, settings=plain, ceilings=findings.ceilings, seconds=share)
        spent, rest = _measure_operation(task, settings, findings)
        left -= spent
        if rest:
            findings.leave_out(f"kernels: {name}: {rest}")


def _measure_operation(task: OperationTask, settings: BenchSettings, findings: Findings) -> tuple[float, str | None]:
    """Seconds spent, without what it takes to start a process, and what was left out, as a clause."""
    first, spent, title = 0, 0.0, "the start"
    for _ in range(MOST_PROCESSES if task.seconds > 0 else 0):
        last = None
        for last in reports(replace(task, seconds=task.seconds - spent, first=first)):
            if last.num_left:
                of = last.num_left + last.number
                return spent + last.seconds, f"{last.num_left} of {of} shapes, the next being {last.title}"
            if last.is_over:
                findings.add(*last.rows)
            else:
                settings.say(f"kernels: {task.name}, {last.title}")
        if last is None:
            return spent, "its process died before it could begin"
        spent += last.seconds
        if not last.is_broken:
            return spent, None
        first, title = last.number + 1, last.title
    return spent, f"all shapes behind {title}"


def reports(task: OperationTask) -> Iterator[CaseReport]:
    """Run the task in a new process; where that dies, the last report's rows say of what."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, task), daemon=True)
    process.start()
    theirs.close()
    last, ends_at = None, time.monotonic() + task.seconds + GRACE
    why = f"it still ran {GRACE:.0f} seconds after its time"
    try:
        while ours.poll(max(ends_at - time.monotonic(), 0.0)):
            last = ours.recv()
            yield last
    except EOFError:
        process.join()
        code = process.exitcode or 0
        why = f"its process died of {signal.Signals(-code).name}" if code < 0 else f"its process ended with {code}"
    finally:
        process.kill()
        process.join()
    if last is not None and not last.is_over:
        rows = tuple(row.model_copy(update={"why": why}) for row in last.rows)
        yield replace(last, rows=rows, is_over=True, is_broken=True)


def _work(pipe: Connection, task: OperationTask) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command that started it ends it
    from mtcli.devices import prepare_cpu

    if not task.settings.on_gpu:
        prepare_cpu()
    for report in measured(task):
        pipe.send(report)


def measured(task: OperationTask) -> Iterator[CaseReport]:
    """Measure the cases in their order, as far as the time suffices, one of them however slow the machine is."""
    from mtcli.bench.contest import ContestantError
    from mtcli.bench.contest.failures import BrokenDeviceError
    from mtcli.bench.contest.timing import Stopwatch
    from mtcli.bench.kernels.comparison import CaseContest, forget
    from mtcli.bench.machine import current_device

    settings = task.settings.within(task.seconds)
    watch = Stopwatch(settings.torch_device, rehearsal=settings.toy)
    longest, largest = 0.0, 1
    with current_device(settings):
        cases = list(enumerate(importlib.import_module(task.module).cases(settings)))
        for number, case in cases[task.first :]:
            contest = CaseContest(task.name, case, task.ceilings, watch, settings.seed)
            start = task.seconds - settings.left()
            report = CaseReport(number, case.title, tuple(contest.failed("")), start)
            # What moves twice the bytes takes twice as long.
            if settings.left() <= longest * max(1.0, case.cost.bytes / largest):
                yield replace(report, is_over=True, num_left=len(cases) - number)
                return
            yield report
            try:
                rows, is_broken = contest.rows(), False
            except (BrokenDeviceError, ContestantError) as error:
                rows, is_broken = contest.failed(str(error)), isinstance(error, BrokenDeviceError)
            spent = task.seconds - settings.left()
            yield replace(report, rows=tuple(rows), seconds=spent, is_over=True, is_broken=is_broken)
            if is_broken:
                return
            longest, largest = max(longest, spent - start), max(largest, case.cost.bytes)
            if settings.on_gpu:  # on a CPU nothing was compiled, and memory is free as soon as nothing holds it
                forget()
