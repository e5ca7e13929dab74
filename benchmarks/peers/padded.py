"""What decoders made with PyTorch share, whose batches are padded.

Axes: B sentences, S source tokens, T target tokens, V vocabulary.
"""

import platform
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.peers.engine import Outcome, Settings, Work, batches, until
from benchmarks.peers.weights import Weights

Decoded = list[tuple[list[int], Any]]


def pad(sentences: Sequence[Sequence[int]], filler: int) -> Tensor:
    """Return [B, longest], sentences padded at their ends."""
    rows = [torch.tensor(sentence) for sentence in sentences]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=filler)


def mask_of(sentences: Sequence[Sequence[int]]) -> Tensor:
    """Return [B, longest] bool, true for tokens."""
    lengths = torch.tensor([len(sentence) for sentence in sentences])
    return torch.arange(int(lengths.max())) < lengths[:, None]


def log_probs(logits: Tensor, wanted: Tensor, banned: Sequence[int]) -> Tensor:
    """Return [T] natural-log probabilities of the tokens wanted [T] from logits [T, V], where the banned have none."""
    allowed = logits.float().clone()
    allowed[:, list(banned)] = float("-inf")
    return allowed.log_softmax(-1).gather(1, wanted[:, None])[:, 0]


class PaddedEngine(ABC):
    """Settings: "dtype", "batch" (sentences)."""

    packages: tuple[str, ...] = ("torch",)
    dtypes: tuple[str, ...] = ("float32", "bfloat16")

    def __init__(self, device: str = "cpu") -> None:
        self.device = torch.device(device)

    def facts(self) -> dict[str, Any]:
        versions = {"python": platform.python_version(), **{name: metadata.version(name) for name in self.packages}}
        on_gpu = ["float16"] if self.device.type == "cuda" else []
        return {"versions": versions | {"torch": torch.__version__}, "dtypes": [*self.dtypes, *on_gpu]}

    def load(self, description: str, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        self.weights = Weights(description)
        self.start, self.eos, self.banned = (self.weights.description[name] for name in ("start", "eos", "banned"))
        self.build()

    @abstractmethod
    def build(self) -> None:
        """Make the model of `self.weights`."""

    def prepare(self, settings: Settings) -> None:
        self._batch: int = settings["batch"]

    def ready(self, work: Work, beam: int) -> Callable[[], Any]:
        parts = batches([len(source) for source in work.sources], self._batch)

        @torch.inference_mode()
        def decode() -> Decoded:
            return [
                (
                    part,
                    self.search(
                        [work.sources[place] for place in part], [work.limits[place] for place in part], work, beam
                    ),
                )
                for part in parts
            ]

        return decode

    @abstractmethod
    def search(self, sources: list[list[int]], limits: list[int], work: Work, beam: int) -> Any:
        """Decode one batch; what it returns has `tolist`, rows of tokens, the end token and filler at their ends."""

    def outcome(self, decoded: Decoded, work: Work) -> Outcome:
        outputs: list[list[int]] = [[] for _ in work.sources]
        for part, rows in decoded:
            for place, row in zip(part, rows.tolist() if isinstance(rows, Tensor) else rows, strict=True):
                outputs[place] = until(self.eos, row)
        return Outcome.of(outputs, work)

    @torch.inference_mode()
    def score(self, sources: list[list[int]], targets: list[list[int]]) -> list[float]:
        scores = []
        for source, target in zip(sources, targets, strict=True):
            logits = self.logits(source, [self.start, *target])
            wanted = torch.tensor([*target, self.eos], device=logits.device)
            scores.append(float(log_probs(logits, wanted, self.banned).sum()))
        return scores

    @abstractmethod
    def logits(self, source: list[int], inputs: list[int]) -> Tensor:
        """Return [T, V] of what follows each of the inputs, in float32."""
