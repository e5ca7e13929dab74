"""Models in a plain loop of PyTorch as contestants: for each a process that is fed with requests (`benchmarks.peers.plain`)."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contest.processes import ROOT, Command
from benchmarks.contest.versions import installed
from benchmarks.questions.decoding.description import DESCRIPTION, write_random
from benchmarks.questions.training.entries import Entry
from benchmarks.questions.training.tasks import Task, json_lines
from mtcli.data.batching import TokenBatches


@dataclass(frozen=True, kw_only=True)
class PlainLoop:
    """One of these models; it gets the batches that mtcli makes, in the same order, and pads them.

    Attributes:
        module: of `peers`, what is run.
        python: that runs it, by default the one that runs this.
        packages: that it needs and whose versions are told.
        backend: torch.compile's; None compiles nothing.
        options: the backend's.
    """

    module: str
    python: Path = Path(sys.executable)
    packages: tuple[str, ...] = ("torch",)
    backend: str | None = None
    options: Mapping[str, Any] | None = None

    def versions(self) -> dict[str, str]:
        return installed(self.python, self.packages)

    def command(self, task: Task, entry: Entry, folder: Path) -> Command:
        write_random(folder, task.preset, task.corpus.vocab_size, task.seed)
        load = {
            "command": "load",
            "description": str(folder / DESCRIPTION),
            "threads": entry.cores,
            "batches": batches(task),
        }
        stdin = folder / "requests"
        requests = [load, *self._trainings(task, entry)]
        stdin.write_text("".join(json.dumps(request) + "\n" for request in requests), encoding="utf-8")
        return Command(
            arguments=[str(self.python), "-m", self.module],
            environment={"PYTHONPATH": os.pathsep.join([str(ROOT)])},
            stdin=stdin,
        )

    def _trainings(self, task: Task, entry: Entry) -> Iterator[dict[str, Any]]:
        """The last one has the figures."""
        train = {"command": "train", "steps": task.updates, "window": task.window}
        settings: dict[str, Any] = {"dtype": entry.dtype}
        if self.backend:
            settings |= {"compiled": self.backend, "options": self.options, "dynamic": True}
            # It compiles while it meets all batches a first time; when they come again, compiling is an error.
            yield train | {"settings": settings}
            settings = settings | {"stance": "fail_on_recompile"}
        yield train | {"settings": settings}

    def windows(self, folder: Path) -> list[float]:
        """Target tokens a second of each window: it says them when it is done."""
        answers = json_lines(folder / "stdout")
        if len(answers) < (3 if self.backend else 2):
            return []
        trained = answers[-1]
        return [tokens / seconds for tokens, seconds in zip(trained["num_tokens"], trained["seconds"], strict=True)]

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
