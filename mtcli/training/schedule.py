"""How far a run is, and the learning rate that follows from it."""

import math
from dataclasses import dataclass

from mtcli.config import TrainingConfig


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        step: updates made.
        epochs: passes over the corpus made, with a fraction.
        seconds: training time so far, over resumes together.
    """

    step: int
    epochs: float
    seconds: float

    def fraction(self, config: TrainingConfig) -> float:
        """The part of the run that is done, by the nearest of its limits; 0 when it has none."""
        parts = [0.0]
        if config.max_steps:
            parts.append(self.step / config.max_steps)
        if config.max_epochs:
            parts.append(self.epochs / config.max_epochs)
        if config.max_minutes:
            parts.append(self.seconds / 60 / config.max_minutes)
        return min(1.0, max(parts))


def learning_rate(progress: Progress, config: TrainingConfig) -> float:
    """The rate of the update after `progress`.

    Linear warm-up to the peak, then the inverse square root of the step (Vaswani et al. 2017, section 5.3);
    over the last `cooldown` of a run whose end is known, also a linear fall to zero. Warm-up takes
    `warmup_steps`, or three tenths of the run where that is shorter.
    """
    done = progress.fraction(config)
    step = progress.step + 1
    warmup = float(max(1, config.warmup_steps))
    if done > 0 and progress.step > 0:
        warmup = max(1.0, min(warmup, 0.3 * progress.step / done))
    factor = min(step / warmup, math.sqrt(warmup / step))
    if config.cooldown > 0:
        factor *= min(1.0, (1 - done) / config.cooldown)
    return config.learning_rate * factor
