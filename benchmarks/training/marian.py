"""Hugging Face's MarianMTModel as a contestant: a plain loop in a process of its own (`peers.marian_training`)."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from decoding.description import DESCRIPTION, write_random

from mtcli.data.batching import TokenBatches
from training.entries import Entry
from training.processes import ROOT, Command
from training.tasks import Task, json_lines
from training.versions import installed

PACKAGES = ("transformers", "torch")


class Marian:
    """It gets the batches that mtcli makes, in the same order, and pads them."""

    def __init__(self, python: Path) -> None:
        self._python = python

    def versions(self) -> dict[str, str]:
        return installed(self._python, PACKAGES)

    def command(self, task: Task, entry: Entry, folder: Path) -> Command:
        write_random(folder, task.preset, task.corpus.vocab_size, task.seed)
        requests = [
            {
                "command": "load",
                "description": str(folder / DESCRIPTION),
                "threads": entry.cores,
                "batches": batches(task),
            },
            {"command": "train", "settings": {"dtype": entry.dtype}, "steps": task.updates, "each": True},
        ]
        stdin = folder / "requests"
        stdin.write_text("".join(json.dumps(request) + "\n" for request in requests), encoding="utf-8")
        return Command(
            arguments=[str(self._python), "-m", "peers.marian_training"],
            environment={"PYTHONPATH": os.pathsep.join([str(ROOT / "benchmarks"), str(ROOT)])},
            stdin=stdin,
        )

    def windows(self, folder: Path) -> list[float]:
        """Target tokens a second of each update: it says them when it is done."""
        answers = json_lines(folder / "stdout")
        if len(answers) < 2:
            return []
        return [
            tokens / seconds for tokens, seconds in zip(answers[1]["num_tokens"], answers[1]["seconds"], strict=True)
        ]

    def parameters(self, folder: Path) -> int:
        return int(json_lines(folder / "stdout")[0]["parameters"])


def batches(task: Task) -> list[dict[str, Any]]:
    """The first batches that mtcli makes of the corpus, as fields of `peers.training.Pairs`."""
    corpus = task.corpus
    src, tgt = (np.array([len(sentence) for sentence in side]) for side in (corpus.src, corpus.tgt))
    made = TokenBatches(src, tgt, task.batch_tokens, task.seed).epoch(0)
    return [
        {"sources": [corpus.src[place] for place in places], "targets": [corpus.tgt[place] for place in places]}
        for places in made[: task.updates]
    ]
