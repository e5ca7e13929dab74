"""Ways to train that are measured, and what their updates cost and reached."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from mtcli.bench.record.schema import Ceilings, Figure, Phase, Status, Trained
from mtcli.bench.roofline.formulas import Cost
from mtcli.bench.roofline.transformer_cost import Update, update
from mtcli.bench.settings import Asked
from mtcli.bench.training.parts import BACKWARD, DECODER, ENCODER, LOSS, PARTS, UPDATE
from mtcli.bench.workload.model import Subject
from mtcli.bench.workload.sentences import PairBatch
from mtcli.devices import dtype_name
from mtcli.model.implementations import Implementations
from mtcli.training.batch import Batch

GIB = 2**30


@dataclass(frozen=True)
class Entry:
    """One way to train.

    Attributes:
        attention: its form; "auto" is the default.
        batch_tokens: on a batch's longer side.
        batches: different ones, which come up in turn.
        updates: for one figure.
        warm_up: updates before the first figure.
    """

    attention: str
    batch_tokens: int
    batches: int
    updates: int
    warm_up: int = 1

    @property
    def way(self) -> str:
        return "as by default" if self.attention == "auto" else f"attention {self.attention}"

    @property
    def name(self) -> str:
        return f"{self.way}, batches of {self.batch_tokens:,} tokens"


def entries(asked: Asked) -> tuple[Entry, ...]:
    """All there is to measure, the most wanted first."""
    if asked.toy:
        return (Entry("auto", 60, 1, 1),)
    if asked.on_gpu:
        return (Entry("auto", 25_000, 8, 16, warm_up=8), Entry("sdpa", 25_000, 8, 16, warm_up=8))
    return (Entry("auto", 512, 1, 1), Entry("auto", 2048, 1, 1))


@dataclass(kw_only=True)
class Contestant:
    """An entry's batches and what it reached.

    Attributes:
        entry, subject: what is trained, and how.
        dtype: of the matrix products.
        batches: token ids; on_device: the same for the network.
        samples: seconds of an update, as often as it was measured.
        cost: seconds of the newest run of all updates of a figure.
        peak: bytes.
        status: "left out" until there are samples; why: what went wrong.
        phases: where the time goes.
    """

    entry: Entry
    subject: Subject
    dtype: torch.dtype
    batches: Sequence[PairBatch]
    on_device: Sequence[Batch]
    samples: list[float] = field(default_factory=list)
    cost: float = 0.0
    peak: int | None = None
    status: Status = "left out"
    why: str | None = None
    phases: tuple[Phase, ...] = ()

    @property
    def runs(self) -> bool:
        return self.why is None

    def _updates(self) -> list[Update]:
        """What an update on each batch costs."""
        network = self.subject.network
        device, head_dim = network.output.weight.device, network.config.largest_head_dim
        chosen = Implementations.resolve(self.entry.attention, device, self.dtype, head_dim=head_dim).choices
        return [
            update(
                self.subject.sizes,
                batch.src_lengths,
                batch.tgt_lengths,
                parameters=self.subject.record.parameters,
                gradients_with_loss=chosen["cross_entropy"].impl == "padded",
            )
            for batch in self.batches
        ]

    def take_in(self, milliseconds: dict[str, float], ceilings: Ceilings) -> None:
        """Make phases of the times that the parts of an update took."""
        updates, total = self._updates(), sum(milliseconds.values())
        costs = {
            ENCODER: _mean([each.encoder for each in updates]),
            DECODER: _mean([each.decoder for each in updates]),
            LOSS: _mean([each.output for each in updates]),
            BACKWARD: _mean([each.backward for each in updates]),
            UPDATE: _mean([each.optimizer for each in updates]),
        }
        self.phases = tuple(
            Phase(
                name=part,
                seconds=milliseconds[part] / 1e3,
                share=milliseconds[part] / total,
                bytes=costs[part].bytes,
                flops=costs[part].flops,
                fraction=costs[part].floor(ceilings.bytes_per_second, self._best(ceilings)) / milliseconds[part] * 1e3,
            )
            for part in PARTS
        )

    def _best(self, ceilings: Ceilings) -> float | None:
        """Operations a second."""
        return ceilings.flops_per_second.get(dtype_name(self.dtype))

    def row(self, ceilings: Ceilings) -> Trained:
        head = {
            "way": self.entry.way,
            "status": self.status,
            "batch_tokens": self.entry.batch_tokens,
            "why": self.why,
        }
        if self.status != "right":
            return Trained.model_validate(head)
        src, tgt = (
            statistics.fmean(map(sum, lengths))
            for lengths in zip(*((batch.src_lengths, batch.tgt_lengths) for batch in self.batches), strict=True)
        )
        flops = _mean([each.total for each in self._updates()]).flops
        rate, best = flops / statistics.median(self.samples), self._best(ceilings)
        found = {
            "src_tokens": src,
            "tgt_tokens": tgt,
            "step_ms": Figure.of([1e3 * seconds for seconds in self.samples]),
            "tgt_tokens_per_second": Figure.of([tgt / seconds for seconds in self.samples]),
            "flops": flops,
            "flops_per_second": rate,
            "mfu": rate / best if best else None,
            "peak_gib": None if self.peak is None else self.peak / GIB,
            "phases": self.phases,
        }
        return Trained.model_validate(head | found)


def _mean(costs: Sequence[Cost]) -> Cost:
    return Cost(
        round(statistics.fmean(cost.bytes for cost in costs)), round(statistics.fmean(cost.flops for cost in costs))
    )
