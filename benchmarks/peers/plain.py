"""The training loop that a user of PyTorch writes: padded batches, autocast, cross-entropy, clipping, fused AdamW."""

import platform
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.peers.on_device import OnDevice
from benchmarks.peers.training import BETAS, CLIP_NORM, EPSILON, LABEL_SMOOTHING, LEARNING_RATE, Pairs, Settings
from benchmarks.peers.weights import Weights

IGNORED = -100  # the label of padding


@dataclass(frozen=True)
class Padded:
    """B sentence pairs, padded at their ends to the longest of each side.

    Attributes:
        src: [B, S] int64; src_mask: [B, S] bool, true for tokens.
        tgt: [B, T] int64, what the decoder reads: each target after the start token, without its end token.
        labels: [B, T] int64, what it is to predict; `IGNORED` for padding.
    """

    src: Tensor
    src_mask: Tensor
    tgt: Tensor
    labels: Tensor


class PlainLearner(OnDevice, ABC):
    """A model of padded batches in a plain loop; what the model is, a subclass says.

    Settings: "dtype" (autocast's, where it is not float32), "compiled" (the backend of torch.compile), "options" (of
    that), "dynamic" (true: what is compiled is for any shape), "stance" (torch.compiler's; "fail_on_recompile" once
    all should be compiled).

    Attributes:
        network: the model; start: the decoder's first input.
    """

    network: nn.Module
    start: int

    @abstractmethod
    def build(self, weights: Weights) -> nn.Module:
        """The model, its weights in place."""

    @abstractmethod
    def logits(self, batch: Padded) -> Tensor:
        """[B, T, V]."""

    def facts(self) -> dict[str, Any]:
        return {"versions": {"python": platform.python_version(), "torch": torch.__version__}}

    def load(self, description: str, threads: int) -> int:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        weights = Weights(description)
        self.start, self._pad = weights.description["start"], weights.description["eos"]
        self.network = self.build(weights).to(self.device)
        learnt = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        self._optimizer = torch.optim.AdamW(
            learnt, lr=LEARNING_RATE, betas=BETAS, eps=EPSILON, weight_decay=0.0, fused=True
        )
        return sum(parameter.numel() for parameter in learnt)

    def prepare(self, settings: Settings) -> None:
        self._dtype = getattr(torch, settings["dtype"])
        backend = settings.get("compiled")
        how = dict[str, Any](dynamic=settings.get("dynamic"), options=settings.get("options"))
        self._loss = torch.compile(self.loss, backend=backend, **how) if backend else self.loss
        torch.compiler.set_stance(settings.get("stance", "default"))

    def batch(self, pairs: Pairs) -> Padded:
        src = _padded(pairs.sources, self._pad)
        lengths = torch.tensor([len(source) for source in pairs.sources])
        tgt = _padded([[self.start, *target[:-1]] for target in pairs.targets], self._pad)
        parts = (src, torch.arange(src.shape[1]) < lengths[:, None], tgt, _padded(pairs.targets, IGNORED))
        return Padded(*(part.to(self.device) for part in parts))

    def loss(self, batch: Padded) -> Tensor:
        """The label-smoothed loss in nats a target token."""
        with torch.autocast(self.device.type, self._dtype, enabled=self._dtype != torch.float32):
            logits = self.logits(batch).flatten(0, 1)
            return F.cross_entropy(
                logits, batch.labels.flatten(), ignore_index=IGNORED, label_smoothing=LABEL_SMOOTHING
            )

    def check(self, batch: Padded) -> tuple[float, float]:
        self.network.eval()
        loss = self._loss(batch)
        loss.backward()
        norm = nn.utils.get_total_norm([one.grad for one in self.network.parameters() if one.grad is not None])
        self._optimizer.zero_grad()
        return loss.item(), norm.item()

    def step(self, batch: Padded) -> None:
        self.network.train()
        self._loss(batch).backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), CLIP_NORM)
        self._optimizer.step()
        self._optimizer.zero_grad()


def _padded(sentences: Sequence[Sequence[int]], filler: int) -> Tensor:
    """[B, longest]."""
    rows = [torch.tensor(sentence) for sentence in sentences]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=filler)
