"""How long calls take on one device: warmed up, caches flushed, in turn, with events on a GPU; microseconds.

Two ways. `in_turn` times single calls as a program issues them one at a time, the L2 cache emptied before each, so
that inputs come from memory; where the GPU waits for Python and PyTorch to launch kernels, that wait is in it.
`in_a_graph` times one call among many recorded in a CUDA graph over rotating inputs: what decoding pays.
On a CPU, for rehearsals, both fall back to the wall clock.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from mtcli.bench.contest.figures import Figure
from mtcli.bench.contest.rounds import Contest, Reading

Call = Callable[[], Any]
Within = Callable[[], contextlib.AbstractContextManager[Any]]

WARM_UPS = 3  # calls before the first that counts
FEWEST, MOST = 10, 200  # repetitions
GRAPH_CALLS = 20
SMALLEST_L2 = 64 << 20  # assumed where PyTorch does not say


@dataclass(frozen=True)
class Timed:
    """A contestant that is a call; entering and leaving the context that it runs in is not timed."""

    name: str
    call: Call
    within: Within = contextlib.nullcontext


class Stopwatch:
    """Times calls on one device; in a rehearsal it calls everything as few times as possible."""

    def __init__(self, device: str, rehearsal: bool = False) -> None:
        self.on_gpu = device.startswith("cuda")
        self.device = device
        self._rehearsal = rehearsal

    @property
    def has_graphs(self) -> bool:
        """Whether `in_a_graph` says anything that `in_turn` does not: on a GPU, and to try it out in rehearsals."""
        return self.on_gpu or self._rehearsal

    @property
    def l2_bytes(self) -> int:
        """Size of the GPU's last cache; 0 on a CPU."""
        if not self.on_gpu:
            return 0
        return int(getattr(torch.cuda.get_device_properties(self.device), "L2_cache_size", 0)) or SMALLEST_L2

    @cached_property
    def _flusher(self) -> torch.Tensor:
        return torch.empty(2 * max(self.l2_bytes, SMALLEST_L2), dtype=torch.int8, device=self.device)

    def in_turn(
        self,
        calls: Sequence[Timed],
        *,
        seconds: float,
        before: Call = lambda: None,
        flush: bool = True,
        most: int = MOST,
        divided_by: int = 1,
    ) -> dict[str, Figure]:
        """Time single calls of each, in rounds in which they take turns.

        Args:
            calls: what to call.
            seconds: about how long to spend on all of them, warm-up excluded.
            before: called before every call, outside the time measured; puts back what a call destroys.
            flush: empty the L2 cache before every call.
            most: repetitions at most.
            divided_by: how many are timed together by a call.
        """

        def measure(timed: Timed) -> Reading:
            before()
            if flush and self.on_gpu:
                self._flusher.zero_()
            return self._sample(timed)

        one_round = sum(self._warm_up(timed, before) for timed in calls)
        repeats = max(min(int(seconds / max(one_round, 1e-6)), most), min(FEWEST, most))
        contest = Contest(calls, measure, better=min)
        contest.rounds(1 if self._rehearsal else repeats)
        return {one.name: Figure.of(one.taken, divided_by) for one in contest.series}

    def in_a_graph(
        self,
        calls: Sequence[Call],
        *,
        seconds: float,
        before: Call = lambda: None,
        within: Within = contextlib.nullcontext,
        launches: int = GRAPH_CALLS,
    ) -> Figure:
        """Time one call among so many launches recorded one after the other, cycling over `calls`.

        Args:
            calls: the same operation on several sets of inputs.
            seconds: about how long to spend.
            before: called before every replay, outside the time measured; puts back what the calls destroy.
            within: a context that the calls need while they are recorded.
            launches: how many calls are recorded.

        Raises:
            RuntimeError: a call cannot be recorded, because it waits for the GPU, say.
        """
        launches = min(launches, 2) if self._rehearsal else launches
        sequence = [calls[i % len(calls)] for i in range(launches)]
        before()
        with within():
            replay = Timed("graph", _recorded(sequence) if self.on_gpu else lambda: [call() for call in sequence])
        return self.in_turn([replay], seconds=seconds, before=before, flush=False, divided_by=launches)["graph"]

    def _warm_up(self, timed: Timed, before: Call) -> float:
        """Seconds of the last call that does not count, by the wall clock, to its end on the device."""
        seconds = 0.0
        for _ in range(0 if self._rehearsal else WARM_UPS):
            before()
            with timed.within():
                self._synchronize()
                start = time.perf_counter()
                timed.call()
                self._synchronize()
                seconds = time.perf_counter() - start
        return seconds

    def _synchronize(self) -> None:
        if self.on_gpu:
            torch.cuda.synchronize()

    def _sample(self, timed: Timed) -> Reading:
        with timed.within():
            if not self.on_gpu:
                began = time.perf_counter()
                timed.call()
                return (time.perf_counter() - began) * 1e6
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            timed.call()
            end.record()

        def read() -> float:
            end.synchronize()  # at the end of a round, which keeps the queue of launches short
            return float(start.elapsed_time(end)) * 1e3

        return read


def _recorded(sequence: Sequence[Call]) -> Call:
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):  # as in the recording, and twice: what the first call makes may be kept
        for call in dict.fromkeys(sequence):
            call()
        try:  # what waits for the GPU raises here: found during a recording, it would spoil later ones too
            torch.cuda.set_sync_debug_mode("error")
            sequence[0]()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    torch.cuda.current_stream().wait_stream(stream)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for call in sequence:
            call()
    return graph.replay
