"""mtcli as a contestant in training: python -m benchmarks.gpu.training.ours [DEVICE]; cpu or cuda."""

import json
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.contest.machine import versions
from benchmarks.peers.on_device import OnDevice
from benchmarks.peers.training import (
    BETAS,
    CLIP_NORM,
    EPSILON,
    LABEL_SMOOTHING,
    LEARNING_RATE,
    Pairs,
    Settings,
    Training,
)
from benchmarks.questions.decoding.ours import load_network
from mtcli.bench.training.gradients import loss_and_norm
from mtcli.bench.training.parts import Parts
from mtcli.bench.work.sentences import PairBatch
from mtcli.config import TrainingConfig
from mtcli.training.batch import Batch
from mtcli.training.step import TrainingStep

CONFIG = TrainingConfig(
    learning_rate=LEARNING_RATE,
    beta1=BETAS[0],
    beta2=BETAS[1],
    epsilon=EPSILON,
    clip_norm=CLIP_NORM,
    label_smoothing=LABEL_SMOOTHING,
)


class OurLearner(OnDevice):
    """Settings: "dtype", "attention" (the form of its operations; auto is the default)."""

    def facts(self) -> dict[str, Any]:
        return {"versions": versions()}

    def load(self, description: str, threads: int) -> int:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        described = json.loads(Path(description).read_text(encoding="utf-8"))
        self._start: int = described["start"]
        self._network = load_network(described).to(self.device)
        self._steps = 0
        return self._network.num_parameters()

    def prepare(self, settings: Settings) -> None:
        self._dtype = getattr(torch, settings["dtype"])
        self._network.attention = settings.get("attention", "auto")
        self._step = TrainingStep(self._network, CONFIG, dtype=self._dtype)

    def batch(self, pairs: Pairs) -> Batch:
        return PairBatch(sources=pairs.sources, targets=pairs.targets).on_device(self._start, self.device)

    def check(self, batch: Batch) -> tuple[float, float]:
        found = loss_and_norm(self._network, batch, LABEL_SMOOTHING, self._dtype)
        return found["loss"], found["norm"]

    def step(self, batch: Batch) -> None:
        self._steps += 1
        self._step.step([batch], LEARNING_RATE, self._steps)

    def parts(self, batches: list[Batch]) -> dict[str, float]:
        """Milliseconds of each part of an update: medians over these batches."""
        with Parts(self._network, self._step, self.device) as taken:
            for batch in batches:
                taken.begin()
                self.step(batch)
                taken.end()
        return taken.medians()


class OurTraining(Training):
    """Serves mtcli: as any learner, and where its time goes."""

    def __init__(self, learner: OurLearner) -> None:
        super().__init__(learner)
        self._ours = learner

    def parts(self, settings: Settings, warm_up: int, steps: int) -> dict[str, float]:
        """Milliseconds of each part of an update, after so many that do not count."""
        self.prepare(settings)
        made = [self.batch(place) for place in range(self.num_batches)]
        order = [made[number % len(made)] for number in range(warm_up + steps)]
        for batch in order[:warm_up]:
            self._ours.step(batch)
        found = self._ours.parts(order[warm_up:])
        self._ours.release()
        return found


if __name__ == "__main__":
    training = OurTraining(OurLearner(*sys.argv[1:]))
    training.serve(parts=training.parts)
