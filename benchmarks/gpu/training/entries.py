"""Who trains in the stage `train`, with which settings, and in which order of importance."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.questions.decoding.contestants import COMPILED, MARIAN, MTCLI, STOCK

MODULES = {
    MTCLI: "benchmarks.gpu.training.ours",
    STOCK: "benchmarks.peers.stock",
    COMPILED: "benchmarks.peers.stock",
    MARIAN: "benchmarks.peers.marian_training",
}
PEERS = (MARIAN,)
DTYPE, EXACT = "bfloat16", "float32"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One contestant with one way to train.

    Attributes:
        contestant: one of MODULES.
        way: the settings in words; empty for what it does by default.
        settings: its own, beside the number type.
    """

    contestant: str
    way: str = ""
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return ", ".join(filter(None, (self.contestant, self.way)))

    @property
    def is_reference(self) -> bool:
        """Whether the others' ratios are to this one: mtcli as it is by default."""
        return (self.contestant, self.way) == (MTCLI, "")

    def with_dtype(self, dtype: str) -> dict[str, Any]:
        """All its settings."""
        return {"dtype": dtype, **self.settings}


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is trained.

    Attributes:
        presets: the models' shapes.
        vocab_size: pieces.
        tokens: of a batch, on its longer side.
        batches: different ones, which come up in turn.
        steps: updates for one figure.
        backend: torch.compile's.
    """

    presets: Sequence[str]
    vocab_size: int
    tokens: int
    batches: int
    steps: int
    backend: str = "inductor"


FULL = Sizes(presets=("base", "big"), vocab_size=32_000, tokens=25_000, batches=8, steps=16)
TOY = Sizes(presets=("tiny",), vocab_size=100, tokens=150, batches=2, steps=2, backend="aot_eager")


def entries(sizes: Sizes) -> tuple[Entry, ...]:
    """All there is to measure, mtcli by default first."""
    return (
        Entry(contestant=MTCLI),
        Entry(contestant=STOCK),
        Entry(contestant=COMPILED, settings={"compiled": sizes.backend}),
        Entry(contestant=MARIAN),
        Entry(contestant=MTCLI, way="attention sdpa", settings={"attention": "sdpa"}),
    )
