"""One operation against PyTorch's best on the same inputs: each variant is checked, then the right ones timed."""

import contextlib
import gc
from functools import partial
from typing import Any

import torch

from mtcli.bench.contest import Check, Contest, ContestantError, Figure, Status
from mtcli.bench.contest.failures import told
from mtcli.bench.contest.timing import Stopwatch, Timed
from mtcli.bench.kernels.accuracy import Judge
from mtcli.bench.kernels.forms import OperationCase, Outputs, Variant
from mtcli.bench.record.schema import GRAPH_TIME, TIME, BenchRow, Ceilings
from mtcli.devices import dtype_name

EAGER_SECONDS, GRAPH_SECONDS = 0.08, 0.05  # for each variant of a case
MOST_ROTATED = 20  # sets of inputs that a graph cycles over


class CaseContest:
    """Checks and times the variants of one case of an operation, on inputs made from the seed."""

    def __init__(self, operation: str, case: OperationCase, ceilings: Ceilings, watch: Stopwatch, seed: int) -> None:
        self._operation, self._case, self._ceilings = operation, case, ceilings
        self._watch, self._seed = watch, seed

    def failed(self, why: str, status: Status = "cannot run") -> list[BenchRow]:
        """The case's row where nothing can be measured."""
        return [self._row(self._variant(self._case.lineup.ours), status, why, {})]

    def rows(self) -> list[BenchRow]:
        """What each variant reached; one that is not right has no time.

        Raises:
            BrokenDeviceError: a call broke the device.
        """
        try:
            inputs = self._case.make(self._seed)
            exact = _detached(self._case.exact(inputs))
        except torch.cuda.OutOfMemoryError:
            return self.failed("the inputs and the exact result do not fit this GPU's memory", "out of memory")
        plain = None
        with contextlib.suppress(ContestantError):  # where it cannot run, its own row says so
            plain = self._outputs(self._variant(self._case.lineup.plain), inputs)
        judge = Judge(exact, self._case.arithmetic or self._case.dtype, plain)
        contest = Contest(self._case.variants, lambda one: 0.0, better=min)
        contest.check(lambda one: [self._check(one, inputs, judge)])
        right = [one.contestant for one in contest.series if one.refusal is None]
        times: dict[str, dict[str, Figure]] = {}  # the first is what a row is judged by
        if right and self._case.in_graph and self._watch.has_graphs:
            times[GRAPH_TIME] = self._time_in_graphs(inputs, right)
        if right:
            times[TIME] = self._time_calls(inputs, right)
        figures = {
            one.name: {what: found[one.name] for what, found in times.items() if one.name in found}
            for one in contest.series
        }
        return [self._row(one.contestant, one.refusal or "right", one.why, figures[one.name]) for one in contest.series]

    def _row(self, one: Variant, status: Status, why: str | None, figures: dict[str, Figure]) -> BenchRow:
        case, cost, dtype = self._case, self._case.cost, dtype_name(self._case.dtype)
        fraction = None
        if figures:
            seconds = 1e-6 * next(iter(figures.values())).median
            fraction = self._ceilings.fraction(cost, dtype, seconds, in_caches=not self._watch.on_gpu)
        return BenchRow(
            section="kernels",
            name=self._operation,
            case=f"{case.title}, {dtype}",
            by=one.name,
            ours=one.name == case.lineup.ours,
            status=status,
            why=why,
            note=one.note,
            prepared=one.prepared,
            figures=figures,
            dtype=dtype,
            bytes=cost.bytes,
            flops=cost.flops,
            fraction=fraction,
        )

    def _variant(self, name: str) -> Variant:
        return next(one for one in self._case.variants if one.name == name)

    def _check(self, one: Variant, inputs: Any, judge: Judge) -> Check:
        failure = judge.failure(self._outputs(one, inputs))
        what, _, detail = (failure or "all outputs: right").partition(": ")
        return Check(what=what, passed=failure is None, detail=detail)

    def _outputs(self, one: Variant, inputs: Any) -> Outputs:
        with told(one.name):
            self._put_back([inputs])
            with one.within():
                returned = one.run(inputs)
            return _detached(one.outputs(inputs, returned))

    def _put_back(self, sets: list[Any]) -> None:
        if self._case.before is not None:
            for inputs in sets:
                self._case.before(inputs)

    def _time_calls(self, inputs: Any, right: list[Variant]) -> dict[str, Figure]:
        calls = [Timed(one.name, partial(one.run, inputs), one.within) for one in right]
        with told(self._case.title):
            return self._watch.in_turn(
                calls, seconds=EAGER_SECONDS * len(calls), before=partial(self._put_back, [inputs])
            )

    def _time_in_graphs(self, inputs: Any, right: list[Variant]) -> dict[str, Figure]:
        """Over so many sets of inputs that they exceed the L2 cache twice, as far as that is few enough."""
        count = min(max(2 * self._watch.l2_bytes // self._case.cost.bytes + 1, 2), MOST_ROTATED)
        found: dict[str, Figure] = {}
        try:
            sets = [inputs, *(self._case.make(self._seed + i) for i in range(1, count))]
        except torch.cuda.OutOfMemoryError:
            return found
        before = partial(self._put_back, sets)
        for one in right:
            calls = [partial(one.run, inputs) for inputs in sets]
            # What waits for the GPU, say, cannot be recorded: its calls are timed
            with contextlib.suppress(ContestantError), told(one.name):
                found[one.name] = self._watch.in_a_graph(calls, seconds=GRAPH_SECONDS, before=before, within=one.within)
        return found


def _detached(outputs: Outputs) -> Outputs:
    return tuple(output.detach() for output in outputs)


def forget() -> None:
    """Give a case's memory back, and forget what torch.compile made for its shapes."""
    torch.compiler.reset()
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
