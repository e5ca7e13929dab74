"""What a run would take, found out by a few of its own steps: memory, batches, time."""

import time
from dataclasses import dataclass
from itertools import islice

import torch

from mtcli.config import TrainingConfig
from mtcli.devices import most_resident
from mtcli.training.journal import format_seconds
from mtcli.training.loop import Trainer
from mtcli.training.plan import PlannedStep

_WARM_UP = 2
_MEASURED = 8
_MOST_SECONDS = 60.0  # a base model on a slow machine takes long for a step
_GIB = 2**30
_COPIES = 5  # of the parameters, float32: themselves, gradients, AdamW's two moments, their average


@dataclass(frozen=True)
class Estimate:
    """What a run would take.

    Attributes:
        parameters: learnt numbers.
        fixed_bytes: memory that does not depend on the batch.
        peak_bytes: the most that was in use, by the whole process on a CPU, in some steps and in the one that needs
            the most; 0 where that is not known.
        batches, steps: of one epoch; tokens: its target tokens.
        tokens_per_second: target tokens, measured.
        total_steps: until the nearest limit of the run; None without one.
    """

    parameters: int
    fixed_bytes: int
    peak_bytes: int
    batches: int
    tokens: int
    steps: int
    tokens_per_second: float
    total_steps: int | None

    def sentences(self) -> list[str]:
        """For people."""
        epoch = self.tokens / self.tokens_per_second
        lines = [
            f"Parameters: {self.parameters:,}.",
            f"Memory: {self.fixed_bytes / _GIB:.2f} GiB for weights, gradients, optimizer and average"
            + (f"; {self.peak_bytes / _GIB:.2f} GiB at most in the steps tried." if self.peak_bytes else "."),
            f"An epoch: {self.batches:,} batches, {self.steps:,} steps, {self.tokens:,} target tokens, "
            f"{format_seconds(epoch)} without validations.",
            f"Speed: {self.tokens_per_second:,.0f} target tokens/s, {epoch / self.steps:.3g} s a step.",
        ]
        if self.total_steps is not None:
            end = format_seconds(self.total_steps * epoch / self.steps)
            lines.append(f"To the limit: {self.total_steps:,} steps, {end}.")
        return lines


def estimate(trainer: Trainer) -> Estimate:
    """Try a few steps of a run that has not begun; its network is spoilt by them.

    Raises:
        TrainingError: as training does.
    """
    settings = trainer.config.training
    batches = trainer.plan.epoch(0)
    seconds: list[float] = []
    tokens = 0
    if trainer.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(trainer.device)
    began = time.monotonic()
    steps_ahead = trainer.ready_steps()
    for number in range(_WARM_UP + _MEASURED):
        started = time.monotonic()
        ready = next(steps_ahead)
        trainer.update(ready)
        trainer.look()
        _, is_late = trainer.world.agree(0.0, time.monotonic() - began > _MOST_SECONDS)
        if number >= _WARM_UP or is_late:
            seconds.append(time.monotonic() - started)
            tokens += ready.planned.num_tokens
        if is_late:
            break
    steps = -(-len(batches) // settings.accumulate)
    trainer.update(trainer.ready(_largest(trainer, steps), trainer.state.step))
    trainer.look()
    rate = tokens / sum(seconds)
    all_tokens = int(sum(trainer.data.train.tgt.lengths[indices].sum() for indices in batches))
    parameters = trainer.network.num_parameters()
    return Estimate(
        parameters=parameters,
        fixed_bytes=4 * _COPIES * parameters,
        peak_bytes=_peak_bytes(trainer.device),
        batches=len(batches),
        tokens=all_tokens,
        steps=steps,
        tokens_per_second=rate,
        total_steps=_total_steps(settings, steps, all_tokens / rate / steps),
    )


def _largest(trainer: Trainer, steps: int) -> PlannedStep:
    """The step of the first epoch that needs the most memory: the one with the largest batch, padding included."""
    src, tgt = trainer.data.train.src.lengths, trainer.data.train.tgt.lengths

    def size(step: PlannedStep) -> int:
        return max(len(batch) * int(src[batch].max() + tgt[batch].max()) for batch in step.batches)

    return max(islice(trainer.plan.steps(0, 0), steps), key=size)


def _total_steps(settings: TrainingConfig, steps: int, seconds: float) -> int | None:
    limits = []
    if settings.max_steps:
        limits.append(settings.max_steps)
    if settings.max_epochs:
        limits.append(settings.max_epochs * steps)
    if settings.max_minutes:
        limits.append(int(settings.max_minutes * 60 / seconds))
    return min(limits, default=None)


def _peak_bytes(device: torch.device) -> int:
    """Of the GPU, or of this process; 0 where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return most_resident() or 0
