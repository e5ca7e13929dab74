"""How long calls take: with events on a GPU, warmed up, caches flushed, contestants in turn, medians.

Two ways. `in_turn` times single calls as a program issues them one at a time, the L2 cache emptied before each, so
that inputs come from memory; where the GPU waits for Python and PyTorch to launch kernels, that wait is in it.
`in_a_graph` times one call among many recorded in a CUDA graph over rotating inputs: what decoding pays.
On a CPU, for rehearsals, both fall back to the wall clock.
"""

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

Call = Callable[[], Any]
Within = Callable[[], contextlib.AbstractContextManager[Any]]

WARM_UPS = 3  # calls before the first that counts
FEWEST, MOST = 10, 200  # repetitions
GRAPH_CALLS = 20
SMALLEST_L2 = 64 << 20  # assumed where PyTorch does not say


@dataclass(frozen=True)
class Timing:
    """Microseconds of one call: the median of the repetitions, and where a fifth lie below and above."""

    median: float
    p20: float
    p80: float
    repeats: int

    @classmethod
    def of(cls, microseconds: Sequence[float], calls: int = 1) -> "Timing":
        """From what each repetition of so many calls took."""
        ordered = sorted(value / calls for value in microseconds)
        last = len(ordered) - 1
        return cls(statistics.median(ordered), ordered[round(0.2 * last)], ordered[round(0.8 * last)], len(ordered))

    def as_json(self) -> dict[str, float | int]:
        return {"median": self.median, "p20": self.p20, "p80": self.p80, "repeats": self.repeats}


@dataclass(frozen=True)
class Timed:
    """A call, and a context that it runs in; entering and leaving that is not timed."""

    call: Call
    within: Within = contextlib.nullcontext


class Stopwatch:
    """Times calls on one device.

    Args:
        device: cpu or cuda.
        rehearsal: call everything as few times as possible.
    """

    def __init__(self, device: str, rehearsal: bool = False) -> None:
        self.on_gpu = device.startswith("cuda")
        self.device = device
        self._rehearsal = rehearsal

    def synchronize(self) -> None:
        if self.on_gpu:
            torch.cuda.synchronize()

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
        return torch.empty(max(2 * self.l2_bytes, 2 * SMALLEST_L2), dtype=torch.int8, device=self.device)

    def once(self, timed: Timed, before: Call | None = None) -> float:
        """Seconds of one call by the wall clock, to its end on the device; `before` is not counted."""
        if before is not None:
            before()
        with timed.within():
            self.synchronize()
            start = time.perf_counter()
            timed.call()
            self.synchronize()
            return time.perf_counter() - start

    def in_turn(
        self,
        contestants: Mapping[str, Timed],
        *,
        seconds: float,
        before: Call | None = None,
        flush: bool = True,
        most: int = MOST,
    ) -> dict[str, Timing]:
        """Time single calls of each contestant, alternating between them.

        Args:
            contestants: what to call, by name.
            seconds: about how long to spend on all of them, warm-up excluded.
            before: called before every call, outside the time measured; puts back what a call destroys.
            flush: empty the L2 cache before every call.
            most: repetitions at most.
        """
        for timed in contestants.values():
            self._warm_up(timed, before)
        round_seconds = 0.0 if self._rehearsal else sum(self.once(timed, before) for timed in contestants.values())
        samples: dict[str, list[Any]] = {name: [] for name in contestants}
        for _ in range(self._repeats(seconds, round_seconds, most)):
            for name, timed in contestants.items():
                if before is not None:
                    before()
                if flush and self.on_gpu:
                    self._flusher.zero_()
                samples[name].append(self._sample(timed))
            self.synchronize()  # keeps the queue of launches short
        return {name: Timing.of([_microseconds(sample) for sample in taken]) for name, taken in samples.items()}

    def in_a_graph(
        self,
        calls: Sequence[Call],
        *,
        seconds: float,
        before: Call | None = None,
        within: Within = contextlib.nullcontext,
        launches: int = GRAPH_CALLS,
    ) -> Timing:
        """Time one call among several recorded one after the other, cycling over `calls`.

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
        if before is not None:
            before()
        with within():
            replay = Timed(self._record(sequence) if self.on_gpu else lambda: [call() for call in sequence])
        self._warm_up(replay, before)
        samples = []
        one = 0.0 if self._rehearsal else self.once(replay, before)
        for _ in range(self._repeats(seconds, one, MOST)):
            if before is not None:
                before()
            samples.append(self._sample(replay))
        self.synchronize()
        return Timing.of([_microseconds(sample) for sample in samples], launches)

    def _warm_up(self, timed: Timed, before: Call | None) -> None:
        for _ in range(0 if self._rehearsal else WARM_UPS - 1):
            self.once(timed, before)

    def _repeats(self, seconds: float, one: float, most: int) -> int:
        if self._rehearsal:
            return 1
        return max(min(int(seconds / max(one, 1e-6)), most), min(FEWEST, most))

    def _sample(self, timed: Timed) -> Any:
        if not self.on_gpu:
            return self.once(timed)
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        with timed.within():
            start.record()
            timed.call()
            end.record()
        return start, end

    def _record(self, sequence: Sequence[Call]) -> Call:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # as in the recording, and twice: what the first call makes may be kept
            for call in dict.fromkeys(sequence):
                call()
            with _no_waiting():
                sequence[0]()
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for call in sequence:
                call()
        return graph.replay


@contextlib.contextmanager
def _no_waiting() -> Iterator[None]:
    """RuntimeError from a call that waits for the GPU: found during a recording, it would spoil later ones too."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def _microseconds(sample: Any) -> float:
    if isinstance(sample, float):
        return sample * 1e6
    start, end = sample
    return float(start.elapsed_time(end)) * 1e3
