"""Decoding steps as CUDA graphs: a step is some hundred small kernels, and launching them one by one takes longer than
running them.

A graph repeats a step on the same memory. It is captured for a number of slots when that number comes a second time:
the first time the step runs as it is, and compiles and allocates what it needs.
"""

from collections.abc import Callable

import torch


class StepGraphs:
    """The graphs of one engine, by number of slots; they share their memory."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drop all graphs: the memory they read is no longer there."""
        self._seen: set[int] = set()
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}
        self._pool = torch.cuda.graph_pool_handle()

    def run(self, slots: int, step: Callable[[], None]) -> None:
        """Do a step, which must launch the same kernels on the same memory whenever it is done with so many slots."""
        if slots not in self._graphs:
            if slots not in self._seen:
                self._seen.add(slots)
                step()
                return
            graph = torch.cuda.CUDAGraph()
            # Other threads may go on using the GPU meanwhile.
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                step()
            self._graphs[slots] = graph
        self._graphs[slots].replay()
