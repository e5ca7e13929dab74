"""Section `kernels`: every operation against its plain form and PyTorch's best, each in a process of its own.

On a CPU the Triton kernels cannot run: there what mtcli takes in their place is measured. The caches are not emptied
there, since in a model what computed the inputs has just left them there; see `Ceilings.bandwidth`.
"""

import dataclasses

from mtcli.bench.kernels.worker import OperationTask, reports
from mtcli.bench.record.findings import Findings
from mtcli.bench.settings import OPERATIONS, BenchSettings, silent

# Shares of the time; what one leaves over goes to those behind it.
SHARES = dict(zip(OPERATIONS, (38, 14, 14, 17, 17), strict=True))
MOST_PROCESSES = 3  # for each operation: one breaks down, another goes on behind the case it broke on


def measure_kernels(settings: BenchSettings, findings: Findings) -> None:
    """Check every variant of every case, and time those that are right; what is found is saved case by case."""
    names = settings.operations or OPERATIONS
    left = settings.left()
    for number, name in enumerate(names):
        share = left * SHARES[name] / sum(SHARES[later] for later in names[number:])
        spent, rest = _measure_operation(name, settings, share, findings)
        left -= spent
        if rest:
            findings.leave_out(f"kernels: {name}: {rest}")


def _measure_operation(
    name: str, settings: BenchSettings, seconds: float, findings: Findings
) -> tuple[float, str | None]:
    """Seconds spent, without what it takes to start a process, and what was left out, as a clause."""
    first, spent, title = 0, 0.0, "the start"
    for _ in range(MOST_PROCESSES if seconds > 0 else 0):
        last = None
        for last in reports(_task(name, settings, seconds - spent, first, findings)):
            if last.num_left:
                of = last.num_left + last.number
                return spent + last.seconds, f"{last.num_left} of {of} shapes, the next being {last.title}"
            if last.is_over:
                findings.add(*last.rows)
            else:
                settings.say(f"kernels: {name}, {last.title}")
        if last is None:
            return spent, "its process died before it could begin"
        spent += last.seconds
        if not last.is_broken:
            return spent, None
        first, title = last.number + 1, last.title
    return spent, f"all shapes behind {title}"


def _task(name: str, settings: BenchSettings, seconds: float, first: int, findings: Findings) -> OperationTask:
    assert findings.ceilings is not None
    return OperationTask(
        name=name,
        module=f"{__package__}.{name}",
        settings=dataclasses.replace(settings, say=silent),  # what goes to another process holds plain values alone
        ceilings=findings.ceilings,
        seconds=seconds,
        first=first,
    )
