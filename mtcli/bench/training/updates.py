"""Updates of a model's weights on batches of one size: a contestant for each way to train."""

import statistics
import time
from collections.abc import Callable, Sequence
from functools import cached_property, partial

import torch

from mtcli.bench.contest import Figure, Series
from mtcli.bench.contest.failures import told
from mtcli.bench.contest.memory import GIB, Peak
from mtcli.bench.record.schema import MEMORY, BenchRow, Ceilings, Phase
from mtcli.bench.roofline.formulas import Cost
from mtcli.bench.roofline.transformer_cost import update
from mtcli.bench.settings import BenchSettings
from mtcli.bench.training.parts import BACKWARD, DECODER, ENCODER, LOSS, UPDATE, Parts
from mtcli.bench.workload.model import BenchModel
from mtcli.bench.workload.sentences import PairBatch, random_batches
from mtcli.bench.workload.shapes import LONGEST
from mtcli.devices import dtype_name
from mtcli.model.implementations import Implementations
from mtcli.training.batch import Batch
from mtcli.training.step import TrainingStep

LEARNING_RATE = 1e-4  # low, so that random sentences spoil nothing
CPU_TOKENS, GPU_TOKENS, TOY_TOKENS = (512, 2048), 25_000, 60
GPU_BATCHES, GPU_UPDATES = 8, 16


class UpdateContestant:
    """One way to train.

    Args:
        model: what is trained.
        step: makes its updates, in the number type of the matrix products.
        attention: its form; "auto" is the default.
        batch_tokens: on a batch's longer side.
        settings: a GPU gets more batches, which come up in turn, and more updates for one figure.

    Attributes:
        phases: where the time goes, once it was looked at.
    """

    def __init__(
        self,
        model: BenchModel,
        step: TrainingStep,
        dtype: torch.dtype,
        attention: str,
        tokens: int,
        settings: BenchSettings,
    ) -> None:
        self.attention, self.batch_tokens = attention, tokens
        self.phases: tuple[Phase, ...] = ()
        self._model, self._step, self._dtype = model, step, dtype
        self._seed = settings.seed
        is_large = settings.on_gpu and not settings.toy
        self._num_batches, self._num_updates = (GPU_BATCHES, GPU_UPDATES) if is_large else (1, 1)
        self._peak: int | None = None
        self._done = 0

    @property
    def way(self) -> str:
        return "as by default" if self.attention == "auto" else f"attention {self.attention}"

    @property
    def name(self) -> str:
        return f"{self.way}, batches of {self.batch_tokens:,} tokens"

    @cached_property
    def batches(self) -> Sequence[PairBatch]:
        return make_batches(self._model, self.batch_tokens, self._num_batches, self._seed)

    @cached_property
    def _on_device(self) -> Sequence[Batch]:
        return [batch.on_device(self._model.start_id, self._model.device) for batch in self.batches]

    def warm_up(self) -> None:
        """Meet every batch once."""
        self._run(self._num_batches, lambda update: update())

    def seconds(self) -> float:
        """Of one update, on average."""
        return self._run(self._num_updates, lambda update: update()) / self._num_updates

    def _run(self, count: int, wrapped: Callable[[Callable[[], None]], None]) -> float:
        """Seconds of so many updates."""
        self._model.network.attention = self.attention
        batches = self._on_device
        peak = Peak(self._model.device)
        try:
            with told(self.name):
                self._synchronize()
                start = time.perf_counter()
                for number in range(count):
                    batch = batches[number % len(batches)]
                    wrapped(lambda batch=batch: self._update(batch))  # type: ignore[misc]
                self._synchronize()
        finally:
            self._model.network.zero_grad()
        self._peak = peak.bytes
        return time.perf_counter() - start

    def _update(self, batch: Batch) -> None:
        self._done += 1
        self._step.step([batch], LEARNING_RATE, self._done)

    def _synchronize(self) -> None:
        if self._model.device.type == "cuda":
            torch.cuda.synchronize()

    def take_apart(self, ceilings: Ceilings) -> None:
        """Make as many updates as for a figure to see where the time goes."""
        with Parts(self._model.network, self._step, self._model.device) as parts:

            def marked(update: Callable[[], None]) -> None:
                parts.begin()
                update()
                parts.end()

            self._run(self._num_updates, marked)
            taken = {part: milliseconds / 1e3 for part, milliseconds in parts.medians().items()}
        total, bandwidth, best = sum(taken.values()), ceilings.bytes_per_second, self._best(ceilings)
        self.phases = tuple(
            Phase.of(part, seconds, total, cost, cost.floor(bandwidth, best))
            for (part, seconds), cost in zip(taken.items(), self._costs.values(), strict=True)
        )

    @cached_property
    def _costs(self) -> dict[str, Cost]:
        """What the parts of an update cost on average."""
        network, sizes = self._model.network, self._model.sizes
        head_dim, parameters = network.config.largest_head_dim, network.num_parameters()
        chosen = Implementations.resolve(self.attention, self._model.device, self._dtype, head_dim=head_dim).choices
        with_loss = chosen["cross_entropy"].impl == "padded"
        counted = partial(update, parameters=parameters, gradients_with_loss=with_loss)
        updates = [counted(sizes, batch.src_lengths, batch.tgt_lengths) for batch in self.batches]
        parts = {ENCODER: "encoder", DECODER: "decoder", LOSS: "output", BACKWARD: "backward", UPDATE: "optimizer"}
        return {part: _mean([getattr(each, name) for each in updates]) for part, name in parts.items()}

    def _best(self, ceilings: Ceilings) -> float | None:
        """Operations a second."""
        return ceilings.flops_per_second.get(dtype_name(self._dtype))

    def row(self, series: Series["UpdateContestant"], ceilings: Ceilings) -> BenchRow:
        """What it reached, as the record has it."""
        row = BenchRow(
            section="train",
            name="updates",
            case=f"{self.way}, {self.batch_tokens:,} tokens a batch",
            status=series.status,
            why=series.why,
            dtype=dtype_name(self._dtype),
        )
        if series.status != "right":
            return row
        flops = sum(cost.flops for cost in self._costs.values())
        tokens, best = statistics.fmean(sum(batch.tgt_lengths) for batch in self.batches), self._best(ceilings)
        figures = {
            "update (ms)": Figure.of([1e3 * seconds for seconds in series.taken]),
            "target tokens/s": Figure.of([tokens / seconds for seconds in series.taken]),
        }
        if self._peak is not None:
            figures[MEMORY] = Figure.of([self._peak / GIB])
        fraction = flops / series.median / best if best else None
        found = {"figures": figures, "flops": flops, "fraction": fraction, "phases": self.phases}
        return row.model_copy(update=found)


def make_batches(model: BenchModel, tokens: int, count: int, seed: int) -> list[PairBatch]:
    """Random pairs that the model can read."""
    longest = min(LONGEST + 1, model.network.config.max_length)
    return random_batches(model.src, model.tgt, tokens=tokens, count=count, seed=seed, longest=longest)


def _mean(costs: Sequence[Cost]) -> Cost:
    return Cost(
        round(statistics.fmean(cost.bytes for cost in costs)), round(statistics.fmean(cost.flops for cost in costs))
    )
