"""Updates of a model's weights on batches of one size: a contestant for each way to train."""

import statistics
import time
from collections.abc import Callable, Sequence
from functools import cached_property, partial

import torch

from mtcli.bench.contest import Figure
from mtcli.bench.contest.failures import told
from mtcli.bench.contest.memory import Peak
from mtcli.bench.roofline.formulas import Cost
from mtcli.bench.roofline.transformer_cost import update
from mtcli.bench.settings import BenchSettings
from mtcli.bench.training.parts import Parts
from mtcli.bench.workload.contest import WorkContestant, memory_figures
from mtcli.bench.workload.model import BenchModel
from mtcli.bench.workload.sentences import PairBatch, random_batches
from mtcli.bench.workload.shapes import LONGEST
from mtcli.devices import dtype_name
from mtcli.model.implementations import Implementations
from mtcli.training.batch import Batch
from mtcli.training.step import TrainingStep

LEARNING_RATE = 1e-4  # low, so that random sentences spoil nothing
GPU_BATCHES, GPU_UPDATES = 8, 16


def _nothing() -> None:
    """Between updates that are not watched."""


class UpdateContestant(WorkContestant):
    """One way to train.

    Args:
        model: what is trained.
        step: makes its updates.
        dtype: number type of the matrix products.
        attention: its form; "auto" is the default.
        batch_tokens: on a batch's longer side.
        settings: a GPU gets more batches, which come up in turn, and more updates for one figure.
    """

    work = "updates"

    def __init__(
        self,
        model: BenchModel,
        step: TrainingStep,
        dtype: torch.dtype,
        attention: str,
        batch_tokens: int,
        settings: BenchSettings,
    ) -> None:
        self.attention, self.size, self.dtype = attention, batch_tokens, dtype_name(dtype)
        way = "as by default" if attention == "auto" else f"attention {attention}"
        self.name = f"{way}, {batch_tokens:,} tokens a batch"
        self._model, self._step, self._torch_dtype = model, step, dtype
        is_large = settings.on_gpu and not settings.toy
        num_batches, self._num_updates = (GPU_BATCHES, GPU_UPDATES) if is_large else (1, 1)
        self._make_batches = partial(make_batches, model, batch_tokens, num_batches, settings.seed)
        self._peak: int | None = None
        self._done = 0

    @cached_property
    def batches(self) -> Sequence[PairBatch]:
        return self._make_batches()

    @cached_property
    def _on_device(self) -> Sequence[Batch]:
        return [batch.on_device(self._model.start_id, self._model.device) for batch in self.batches]

    def warm_up(self) -> None:
        """Meet every batch once."""
        self._run(len(self.batches))

    def seconds(self) -> float:
        """Of one update, on average."""
        return self._run(self._num_updates) / self._num_updates

    def _run(self, count: int, before: Callable[[], None] = _nothing, after: Callable[[], None] = _nothing) -> float:
        """Seconds of so many updates, with a call before and after each."""
        self._model.network.attention = self.attention
        batches = self._on_device
        peak = Peak(self._model.device)
        try:
            with told(self.name):
                self._synchronize()
                start = time.perf_counter()
                for number in range(count):
                    before()
                    self._done += 1
                    self._step.step([batches[number % len(batches)]], LEARNING_RATE, self._done)
                    after()
                self._synchronize()
        finally:
            self._model.network.zero_grad()
        self._peak = peak.bytes
        return time.perf_counter() - start

    def _synchronize(self) -> None:
        if self._model.device.type == "cuda":
            torch.cuda.synchronize()

    def part_seconds(self, usual: float) -> dict[str, float]:
        with Parts(self._model.network, self._step, self._model.device) as parts:
            self._run(self._num_updates, parts.begin, parts.end)
            return parts.medians()

    @cached_property
    def costs(self) -> dict[str, Cost]:
        """On average over the batches."""
        network = self._model.network
        chosen = Implementations.resolve(
            self.attention, self._model.device, self._torch_dtype, head_dim=network.config.largest_head_dim
        ).choices
        counted = partial(
            update,
            self._model.sizes,
            parameters=network.num_parameters(),
            gradients_with_loss=chosen["cross_entropy"].impl == "padded",
        )
        updates = [counted(batch.src_lengths, batch.tgt_lengths) for batch in self.batches]
        return {part: _mean([each[part] for each in updates]) for part in updates[0]}

    @property
    def total(self) -> Cost:
        """Of the arithmetic alone, which makes the fraction the MFU."""
        return Cost(0, super().total.flops)

    def figures(self, seconds: Sequence[float]) -> dict[str, Figure]:
        tokens = statistics.fmean(sum(batch.tgt_lengths) for batch in self.batches)
        return {
            "update (ms)": Figure.of([1e3 * taken for taken in seconds]),
            "target tokens/s": Figure.of([tokens / taken for taken in seconds]),
            **memory_figures(self._peak),
        }


def make_batches(model: BenchModel, tokens: int, count: int, seed: int) -> list[PairBatch]:
    """Random pairs that the model can read."""
    longest = min(LONGEST + 1, model.network.config.max_length)
    return random_batches(model.src, model.tgt, tokens=tokens, count=count, seed=seed, longest=longest)


def _mean(costs: Sequence[Cost]) -> Cost:
    return Cost(*(round(statistics.fmean(counts)) for counts in ([c.bytes for c in costs], [c.flops for c in costs])))
