"""Section `kernels`: every operation against its plain form and PyTorch's best, the most wanted shapes first.

Operations take turns, a case at a time, so that whatever the time, each has its most important shapes. On a CPU the
Triton kernels cannot run: there `ours` is the form that mtcli takes in their place. The caches are not emptied there,
since in a model what computed the inputs has just left them there; see `roofline.bandwidth`.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from mtcli.bench.arithmetic import roofline
from mtcli.bench.asked import Asked
from mtcli.bench.contest.timing import Stopwatch
from mtcli.bench.machine import current_device
from mtcli.bench.measuring.contest import BrokenDeviceError, Case, forget, measure, operation
from mtcli.bench.measuring.lineup import lineup_on
from mtcli.bench.records.files import Json
from mtcli.bench.records.record import Ceilings, Kernels

OPERATIONS = ("masked_attention", "cross_entropy", "beam_step", "cross_attention_decode", "self_attention_decode")
FIRST_CASE_SECONDS = {"cpu": 2.0, "cuda": 8.0}  # on a GPU its kernels are compiled


@dataclass
class _Queue:
    """An operation's cases: those to come, begun with `case`, and the rows of those measured.

    Attributes:
        longest: seconds of the case that took longest; before the first, an estimate.
        largest: the most bytes that a case has moved.
    """

    name: str
    cases: Iterator[Case]
    longest: float
    largest: int = 0
    case: Case | None = None
    rows: list[Json] = field(default_factory=list)

    def seconds(self, case: Case) -> float:
        """About how long a case takes: what moves twice the bytes takes twice as long."""
        return self.longest * max(1.0, case.cost.bytes / self.largest if self.largest else 1.0)

    def add(self, row: Json, seconds: float) -> None:
        self.longest = max(self.longest, seconds) if self.rows else seconds
        self.largest = max(self.largest, row["bytes"])
        self.rows.append(row)


def measure_kernels(asked: Asked, ceilings: Ceilings, left_out: list[str]) -> Kernels:
    """Check every contestant of every case, and time those that are right.

    Args:
        asked: device and time.
        ceilings: of the device; `fraction` of a row is of these.
        left_out: gets a sentence for each operation that the time did not suffice for, and one when a call broke the
            device, which ends the section.
    """
    first = FIRST_CASE_SECONDS["cuda" if asked.on_gpu else "cpu"]
    queues = [_Queue(name, operation(name).cases(asked), first) for name in OPERATIONS]
    watch, broken = Stopwatch(asked.torch_device, rehearsal=asked.toy), None
    with current_device(asked):
        try:
            _take_turns(queues, asked, ceilings, watch)
        except BrokenDeviceError as error:
            broken = str(error)
            left_out.append(f"The rest of the kernels, because of {error} Nothing can use the device after that.")
        else:
            left_out += filter(None, map(_rest, queues))
    return Kernels(
        operations={queue.name: tuple(queue.rows) for queue in queues},
        ours=lineup_on(asked.torch_device).ours,
        broken=broken,
    )


def _take_turns(queues: list[_Queue], asked: Asked, ceilings: Ceilings, watch: Stopwatch) -> None:
    waiting, has_time = list(queues), asked.left() > 0
    while waiting:
        for queue in list(waiting):
            case = queue.case = next(queue.cases, None)
            is_first = has_time and not any(one.rows for one in queues)  # which is measured however slow the machine
            if case is None or (queue.seconds(case) > asked.left() and not is_first):
                waiting.remove(queue)
                continue
            asked.say(f"kernels: {queue.name}, {case.title}")
            start = time.monotonic()
            try:
                row = measure(case, asked.seed, watch, _limits(asked, ceilings, case))
            except BrokenDeviceError as error:
                raise BrokenDeviceError(f"{queue.name}, {case.title}: {error}") from error
            if asked.on_gpu:  # on a CPU nothing was compiled, and memory is free as soon as nothing holds it
                forget()
            queue.add(row, time.monotonic() - start)


def _limits(asked: Asked, ceilings: Ceilings, case: Case) -> Json:
    bandwidth = roofline.bandwidth(ceilings, case.cost.bytes, in_caches=not asked.on_gpu)
    return {"bytes_per_second": bandwidth, "flops_per_second": ceilings.flops_per_second}


def _rest(queue: _Queue) -> str | None:
    """A sentence for the cases that were not begun."""
    if queue.case is None:
        return None
    later = 1 + sum(1 for _ in queue.cases)
    total = later + len(queue.rows)
    return f"kernels: {queue.name}: {later} of {total} shapes, the next being {queue.case.title}."
