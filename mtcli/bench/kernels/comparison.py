"""One operation against PyTorch's best on the same inputs: each variant is checked, then the right ones timed."""

import gc
from typing import Any

import torch
from torch import Tensor

from mtcli.bench.contest import Check, Contest, ContestantError, Figure, Status
from mtcli.bench.contest.failures import told
from mtcli.bench.contest.timing import Stopwatch, Timed
from mtcli.bench.kernels.accuracy import Judge
from mtcli.bench.kernels.forms import OperationCase, Variant
from mtcli.bench.record.schema import GRAPH_TIME, TIME, BenchRow, Ceilings
from mtcli.devices import dtype_name

EAGER_SECONDS, GRAPH_SECONDS = 0.08, 0.05  # for each variant of a case
MOST_ROTATED = 20  # sets of inputs that a graph cycles over


class CaseContest:
    """Checks and times the variants of one case.

    Args:
        operation: its name, for the rows.
        case: inputs, variants and costs.
        ceilings: of the device.
        watch: times calls on the device.
        seed: of the inputs.
    """

    def __init__(self, operation: str, case: OperationCase, ceilings: Ceilings, watch: Stopwatch, seed: int) -> None:
        self._operation, self._case, self._ceilings = operation, case, ceilings
        self._watch, self._seed = watch, seed

    def failed(self, why: str, status: Status = "cannot run") -> list[BenchRow]:
        """The case's row where nothing can be measured."""
        [ours] = [one for one in self._case.variants if one.name == self._case.lineup.ours]
        return [self._row(ours, status, why, {})]

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
        judge = Judge(exact, self._case.arithmetic or self._case.dtype, self._plain_outputs(inputs))
        contest = Contest(self._case.variants, lambda one: 0.0, better=min)
        contest.check(lambda one: [self._check(one, inputs, judge)])
        right = [one.contestant for one in contest.series if one.refusal is None]
        figures: dict[str, dict[str, Figure]] = {one.name: {} for one in self._case.variants}
        if right and self._case.in_graph and self._watch.has_graphs:
            self._time_in_graphs(inputs, right, figures)
        if right:
            self._time_calls(inputs, right, figures)
        return [self._row(one.contestant, one.refusal or "right", one.why, figures[one.name]) for one in contest.series]

    def _row(self, one: Variant, status: Status, why: str | None, figures: dict[str, Figure]) -> BenchRow:
        case, cost, dtype = self._case, self._case.cost, dtype_name(self._case.dtype)
        bandwidth = self._ceilings.bandwidth(cost.bytes, in_caches=not self._watch.on_gpu)
        floor = 1e6 * cost.floor(bandwidth, self._ceilings.flops_per_second.get(dtype))
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
            fraction=floor / next(iter(figures.values())).median if figures else None,
        )

    def _plain_outputs(self, inputs: Any) -> tuple[Tensor, ...] | None:
        """What the plain form finds; None where it cannot run, which its own row says."""
        [plain] = [one for one in self._case.variants if one.name == self._case.lineup.plain]
        try:
            return self._outputs(plain, inputs)
        except ContestantError:
            return None

    def _check(self, one: Variant, inputs: Any, judge: Judge) -> Check:
        failure = judge.failure(self._outputs(one, inputs))
        what, _, detail = (failure or "all outputs: right").partition(": ")
        return Check(what=what, passed=failure is None, detail=detail)

    def _outputs(self, one: Variant, inputs: Any) -> tuple[Tensor, ...]:
        with told(one.name):
            if self._case.before is not None:
                self._case.before(inputs)
            with one.within():
                returned = one.run(inputs)
            return _detached(one.outputs(inputs, returned))

    def _time_calls(self, inputs: Any, right: list[Variant], figures: dict[str, dict[str, Figure]]) -> None:
        calls = [Timed(one.name, lambda one=one: one.run(inputs), one.within) for one in right]  # type: ignore[misc]
        before = None if self._case.before is None else lambda: self._put_back([inputs])
        with told(self._case.title):
            timed = self._watch.in_turn(calls, seconds=EAGER_SECONDS * len(calls), before=before)
        for name, figure in timed.items():
            figures[name][TIME] = figure

    def _time_in_graphs(self, inputs: Any, right: list[Variant], figures: dict[str, dict[str, Figure]]) -> None:
        """Over so many sets of inputs that they exceed the L2 cache twice, as far as that is few enough."""
        count = min(max(2 * self._watch.l2_bytes // self._case.cost.bytes + 1, 2), MOST_ROTATED)
        try:
            sets = [inputs, *(self._case.make(self._seed + i) for i in range(1, count))]
        except torch.cuda.OutOfMemoryError:
            return
        before = None if self._case.before is None else lambda: self._put_back(sets)
        for one in right:
            calls = [lambda one=one, inputs=inputs: one.run(inputs) for inputs in sets]
            try:
                with told(one.name):
                    figure = self._watch.in_a_graph(calls, seconds=GRAPH_SECONDS, before=before, within=one.within)
            except ContestantError:  # it waits for the GPU, say, and cannot be recorded: its calls are timed
                continue
            figures[one.name][GRAPH_TIME] = figure

    def _put_back(self, sets: list[Any]) -> None:
        for inputs in sets:
            assert self._case.before is not None
            self._case.before(inputs)


def _detached(outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(output.detach() for output in outputs)


def forget() -> None:
    """Give a case's memory back, and forget what torch.compile made for its shapes."""
    torch.compiler.reset()
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
