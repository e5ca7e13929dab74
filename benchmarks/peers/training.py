"""A model in the training loop that a user of PyTorch writes: python -m benchmarks.peers.training MODEL TASK RESULT.

Padded batches, autocast, cross-entropy, clipping, fused AdamW. MODEL is `stock` (`benchmarks.peers.stock`) or `marian`
(Hugging Face's MarianMTModel). TASK is a JSON file

    {"description": see benchmarks.peers.weights, "device", "dtype": autocast's, "threads", "window",
     "batches": [{"sources", "targets": token ids, end tokens included}], "compiled": torch.compile's backend or null}

and RESULT becomes

    {"parameters": numbers that it learns, "check": {"loss", "norm"} of the first batch, without dropout and in float32,
     "seconds", "num_tokens": of each window of so many batches, end tokens included}

What is compiled meets all batches once before the clock starts; compiling when they come again is an error.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.peers.padded import mask_of, pad
from benchmarks.peers.stock import stock_transformer
from benchmarks.peers.weights import Weights

# How all train: mtcli's defaults. The rate stays as it is, and low, so that random sentences spoil nothing.
LABEL_SMOOTHING = 0.1
LEARNING_RATE = 1e-4
BETAS = (0.9, 0.98)
EPSILON = 1e-9
CLIP_NORM = 1.0
IGNORED = -100  # the label of padding
COMPILING = {"dynamic": True, "options": {"fallback_random": True}}  # Inductor's own random numbers are slower on a CPU


@dataclass(frozen=True)
class Batch:
    """B sentence pairs, padded at their ends to the longest of each side.

    Attributes:
        src: [B, S] int64; src_mask: [B, S] bool, true for tokens.
        tgt: [B, T] int64, what the decoder reads: each target after the start token, without its end token.
        labels: [B, T] int64, what it is to predict; `IGNORED` for padding.
        num_tokens: of the targets.
    """

    src: Tensor
    src_mask: Tensor
    tgt: Tensor
    labels: Tensor
    num_tokens: int


Logits = Callable[[Batch], Tensor]
"""[B, T, V] of a batch."""


def stock(weights: Weights) -> tuple[nn.Module, Logits]:
    """Its padded targets need no mask: a target sees what is before it, and padding comes last."""
    network = stock_transformer(weights)
    return network, lambda batch: network(batch.src, batch.src_mask, batch.tgt)


def marian(weights: Weights) -> tuple[nn.Module, Logits]:
    """Its loss is PyTorch's: Marian's own knows no label smoothing."""
    from benchmarks.peers.marian import load_marian

    network: Any = load_marian(weights.description["hf"])

    def logits(batch: Batch) -> Tensor:
        found: Tensor = network(
            input_ids=batch.src, attention_mask=batch.src_mask.long(), decoder_input_ids=batch.tgt, use_cache=False
        ).logits
        return found

    return network, logits


MODELS = {"stock": stock, "marian": marian}


class Loop:
    """The loop; `task` is as the module's docstring says."""

    def __init__(self, model: str, task: dict[str, Any]) -> None:
        torch.set_num_threads(task["threads"])
        torch.set_flush_denormal(True)
        weights = Weights(task["description"])
        self._start, self._filler = weights.description["start"], weights.description["eos"]
        self._device = torch.device(task["device"])
        self._network, self._logits = MODELS[model](weights)
        self._network.to(self._device)
        self._dtype = getattr(torch, task["dtype"])
        learnt = [one for one in self._network.parameters() if one.requires_grad]
        self.parameters = sum(one.numel() for one in learnt)
        self._optimizer = torch.optim.AdamW(
            learnt, lr=LEARNING_RATE, betas=BETAS, eps=EPSILON, weight_decay=0.0, fused=True
        )
        backend = task["compiled"]
        how: dict[str, Any] = COMPILING if backend == "inductor" else {"dynamic": True}
        self._loss = torch.compile(self.loss, backend=backend, **how) if backend else self.loss

    def batch(self, sources: Sequence[list[int]], targets: Sequence[list[int]]) -> Batch:
        """Put sentence pairs on the device."""
        tgt = pad([[self._start, *target[:-1]] for target in targets], self._filler)
        parts = (pad(sources, self._filler), mask_of(sources), tgt, pad(targets, IGNORED))
        src, src_mask, tgt, labels = (part.to(self._device) for part in parts)
        return Batch(src, src_mask, tgt, labels, sum(map(len, targets)))

    def loss(self, batch: Batch) -> Tensor:
        """Return the label-smoothed loss in nats a target token."""
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype != torch.float32):
            logits = self._logits(batch).flatten(0, 1)
            return F.cross_entropy(
                logits, batch.labels.flatten(), ignore_index=IGNORED, label_smoothing=LABEL_SMOOTHING
            )

    def check(self, batch: Batch) -> dict[str, float]:
        """Return the loss and its gradient's norm, without dropout, an update, autocast or what is compiled."""
        self._network.eval()
        dtype, self._dtype = self._dtype, torch.float32
        loss = self.loss(batch)
        self._dtype = dtype
        loss.backward()
        norm = nn.utils.get_total_norm([one.grad for one in self._network.parameters() if one.grad is not None])
        self._optimizer.zero_grad()
        self._network.train()
        return {"loss": loss.item(), "norm": norm.item()}

    def step(self, batch: Batch) -> None:
        """Update the weights."""
        self._loss(batch).backward()
        nn.utils.clip_grad_norm_(self._network.parameters(), CLIP_NORM)
        self._optimizer.step()
        self._optimizer.zero_grad()

    def synchronize(self) -> None:
        """Wait for the device."""
        if self._device.type == "cuda":
            torch.cuda.synchronize()


def train(model: str, task: dict[str, Any]) -> dict[str, Any]:
    """Train as the task says: what the module's docstring calls RESULT."""
    loop, pairs, window = Loop(model, task), task["batches"], task["window"]
    check = loop.check(loop.batch(**pairs[0]))
    if task["compiled"]:
        for one in pairs:
            loop.step(loop.batch(**one))
        torch.compiler.set_stance("fail_on_recompile")
    seconds, num_tokens = [], []
    for first in range(0, len(pairs), window):
        loop.synchronize()
        start = time.perf_counter()
        made = [loop.batch(**one) for one in pairs[first : first + window]]
        for batch in made:
            loop.step(batch)
        loop.synchronize()
        seconds.append(time.perf_counter() - start)
        num_tokens.append(sum(batch.num_tokens for batch in made))
    return {"parameters": loop.parameters, "check": check, "seconds": seconds, "num_tokens": num_tokens}


if __name__ == "__main__":
    name, task_file, result_file = sys.argv[1:]
    result = train(name, json.loads(Path(task_file).read_text(encoding="utf-8")))
    Path(result_file).write_text(json.dumps(result), encoding="utf-8")
