"""The training loop: rate, batches, update, average; validate and save now and then.

All randomness derives from (seed, step) and the sentence for dropout, and from (seed, epoch) for the order of the
data, so a run that was stopped anywhere goes on from its last checkpoint as if it had never stopped, on as many
processes as there are then.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mtcli.config import Config
from mtcli.data.prepare import PreparedData
from mtcli.devices import describe
from mtcli.errors import TrainingError
from mtcli.files import write_atomically
from mtcli.model.implementations import Implementations
from mtcli.model.transformer import Transformer
from mtcli.model_directory.card import versions, write_card
from mtcli.model_directory.description import Architecture
from mtcli.model_directory.files import WEIGHTS
from mtcli.model_directory.integrity import stored_checksum
from mtcli.model_directory.weights import parameters_of, weights_bytes
from mtcli.training.averaging import WeightAverage
from mtcli.training.batch import Batch, make_batch
from mtcli.training.checkpoint import RunState, restore, save_checkpoint
from mtcli.training.journal import Journal
from mtcli.training.kept_weights import KeptWeights
from mtcli.training.loader import taker
from mtcli.training.plan import Plan, PlannedStep
from mtcli.training.ranking import criterion
from mtcli.training.schedule import Progress, learning_rate
from mtcli.training.signals import interruptible
from mtcli.training.step import TrainingStep
from mtcli.training.validation import validate
from mtcli.training.world import World

_NAMED_LINES = 5
_LOOK_EVERY = {"cpu": 1, "cuda": 50}  # steps between looks whether gradients are finite: on a GPU a look waits for it


@dataclass(frozen=True)
class ReadyStep:
    """A step's batches on the device, as far as they are this process's, and what each weighs."""

    planned: PlannedStep
    batches: Sequence[Batch]
    weights: Sequence[float]
    seed: int


class Trainer:
    """One training run in its directory."""

    def __init__(
        self,
        config: Config,
        data: PreparedData,
        network: Transformer,
        state: RunState,
        run_dir: Path,
        journal: Journal,
        *,
        device: torch.device,
        dtype: torch.dtype,
        world: World | None = None,
    ) -> None:
        """Set up a run at `state`; `resume` puts a checkpoint's tensors in place.

        Args:
            network: freshly initialised, on `device`, float32.
            dtype: of the matrix products.
            world: the processes that train together; by default this one alone.

        Raises:
            BackendUnavailableError: the form of attention that was asked for cannot run here.
        """
        self.config, self.data, self.state, self.run_dir, self.journal = config, data, state, run_dir, journal
        self.device, self.dtype, self.network, self.world = device, dtype, network, world or World()
        self.implementations = Implementations.resolve(
            network.attention,
            device,
            dtype,
            head_dim=config.model.largest_head_dim,
            attention_dropout=config.model.attention_dropout,
            beam=config.training.valid_beam_size,
        )
        self.average = WeightAverage(network, config.training.average)
        self.step = TrainingStep(network, config.training, dtype=dtype, world=self.world)
        self.plan = Plan(data.batches(config.training.batch_tokens, config.training.seed), config.training.accumulate)
        self._epochs = self.plan.epochs(state.epoch, state.batch)
        self._kept = KeptWeights(run_dir / "checkpoints")
        self._unread: list[PlannedStep] = []  # steps whose losses have not been read
        self._window_began, self._rate = time.monotonic(), 0.0

    def resume(self, checkpoint: Path) -> None:
        """Put the tensors of a checkpoint in place of the initial ones."""
        restore(checkpoint, self.network, self.average, self.step.optimizer, self.device)

    def run(self) -> None:
        """Train until a limit, early stopping or an interrupt.

        Raises:
            TrainingError: a gradient is not finite; the weights stay as they were before that step.
            KeyboardInterrupt: Ctrl-C or SIGTERM, after saving.
        """
        settings, state = self.config.training, self.state
        self.journal.start(self.progress().fraction(settings))
        take, close = taker(self.ready_steps(), ahead=self.device.type == "cuda")
        self._window_began = time.monotonic()
        try:
            with interruptible(insistently=self.world.size == 1) as interrupted:
                while not self.is_finished():
                    began = time.monotonic()
                    self.update(take())
                    state.seconds += time.monotonic() - began
                    state.seconds, is_stopping = self.world.agree(state.seconds, interrupted() or self.world.is_orphan)
                    is_last = self.is_finished()
                    if state.step % _LOOK_EVERY[self.device.type] == 0 or is_last or is_stopping:
                        self.look()
                    if state.step % settings.log_every == 0:
                        self._log()
                    if is_last or state.step % settings.valid_every == 0:
                        self._validate()
                    if self.is_finished() or is_stopping or state.step % settings.save_every == 0:
                        self.look()
                        self.save()
                        self.world.wait()
                    if is_stopping:
                        self.journal.say(f"Saved at step {state.step:,}. The same command goes on from there.")
                        raise KeyboardInterrupt
        finally:
            close()
            self.journal.stop()

    def progress(self) -> Progress:
        return Progress(self.state.step, self._epochs, self.state.seconds)

    def is_finished(self) -> bool:
        """Whether a limit is reached, or scores have stopped rising."""
        return self.state.stopped_early or self.progress().fraction(self.config.training) >= 1

    def ready_steps(self) -> Iterator[ReadyStep]:
        """The steps from here on, without end."""
        steps = self.plan.steps(self.state.epoch, self.state.batch)
        for number, planned in enumerate(steps, start=self.state.step):
            yield self.ready(planned, number)

    def ready(self, planned: PlannedStep, number: int) -> ReadyStep:
        """Put what a step trains on onto the device; `number` is the step's, from 0."""
        start_id, pairs = self.data.tokenizers.tgt.start_id, self.data.pairs
        seed = _mix(self.config.training.seed, number)
        shares = [self.world.share(indices) for indices in planned.batches]
        batches = [make_batch(pairs, indices, start_id, self.device, seed) for indices, _ in shares]
        return ReadyStep(planned, batches, [weight for _, weight in shares], seed)

    def update(self, ready: ReadyStep) -> None:
        """Make a step's update, and count it."""
        state, planned = self.state, ready.planned
        self._rate = learning_rate(self.progress(), self.config.training)
        self.step.step(ready.batches, self._rate, ready.seed, num_tokens=planned.num_tokens, weights=ready.weights)
        self._unread.append(planned)
        state.step += 1
        self.average.update(self.network, state.step)
        state.tgt_tokens += planned.num_tokens
        state.epoch, state.batch, self._epochs = planned.epoch, planned.batch, planned.epochs

    def look(self) -> None:
        """Stop where an update was left out; waits for the device.

        Raises:
            TrainingError: one was, since the last reading of the losses; names its lines.
        """
        if self.step.is_sound():
            return
        number = self.step.read().first_spoilt or 0
        indices = np.concatenate(self._unread[number].batches)
        places = ", ".join(self.data.place(int(index)) for index in indices[:_NAMED_LINES])
        others = f" and {len(indices) - _NAMED_LINES:,} others" if len(indices) > _NAMED_LINES else ""
        step = self.state.step - len(self._unread) + number + 1
        raise TrainingError(
            f"Step {step}: the loss or its gradient is not finite (learning rate {self._rate:.2e}). The weights were "
            f"not updated, and nothing has been saved since. The step's lines: {places}{others}. Try a lower "
            "training.learning_rate, a longer training.warmup_steps, or --dtype float32."
        )

    def _log(self) -> None:
        settings, state = self.config.training, self.state
        self.look()  # reading begins the count of what was left out anew
        losses = self.step.read()
        self._unread.clear()
        done = self.progress().fraction(settings)
        eta = state.seconds / done - state.seconds if done > 0 else None
        now = time.monotonic()
        record = {
            "step": state.step,
            "epoch": round(self._epochs, 4),
            "seconds": round(state.seconds, 2),
            "loss": round(losses.loss / max(1, losses.tokens), 4),
            "nll": round(losses.nll / max(1, losses.tokens), 4),
            "gradient_norm": round(losses.norm, 4),
            "learning_rate": self._rate,
            "tgt_tokens_per_second": round(losses.tokens / (now - self._window_began)),
        }
        self._window_began = now
        self.journal.training(done, eta, record)

    def _validate(self) -> None:
        """Score the averaged weights; keep them as the model when they are the best so far."""
        settings, state = self.config.training, self.state
        self.look()
        began = time.monotonic()
        self.journal.validating(state.step)
        scores = validate(self.average.network, self.data, self.config, self.world, state.bleu_tokenizer)
        record = {
            "step": state.step,
            "nll": round(scores.nll, 4),
            "perplexity": round(scores.perplexity, 3),
            "bleu": round(scores.metrics.bleu, 2),
            "chrf": round(scores.metrics.chrf, 2),
            "bleu_tokenizer": state.bleu_tokenizer,
            "signature": scores.metrics.signature,
        }
        is_best = state.note(record, settings)
        took = time.monotonic() - began
        state.seconds, _ = self.world.agree(state.seconds + took, False)
        self._window_began += took
        best = f"best so far{criterion(record, settings.stop_metric)}" if is_best else ""
        self.journal.validation({**record, "seconds": round(state.seconds, 2)}, best)
        if self.world.is_first and state.step in state.kept:
            self._kept.write(state.step, self._averaged_weights())
        if is_best:
            self._publish(state.step)
        if state.stopped_early:
            self.journal.say(
                f"Stopping: {settings.stop_metric} has not improved for {state.stale_validations} validations "
                f"(best at step {state.best_step:,})."
            )

    def save(self) -> None:
        """Write a checkpoint; before any validation, also the model to translate with."""
        if not self.state.kept:
            self._publish(self.state.step)
        if not self.world.is_first:
            return
        save_checkpoint(
            self.run_dir / "checkpoints",
            self.state,
            self.network,
            self.average,
            self.step.optimizer,
            self.config.training.keep,
        )
        self._kept.tidy(self.state.kept)
        write_card(self.run_dir, self.provenance())

    def publish_best(self) -> None:
        """Where a run goes on, make sure that model and card are of what is the best by the present settings."""
        step = self.state.best_step or self.state.published_step
        if step not in self.state.kept:
            self._publish(self.state.step)
        elif step != self.state.published_step or not self._kept.is_published(step, self.run_dir):
            self._publish(step)
            self.journal.say(f"The model is that of step {step:,} now, the best of those that were validated.")

    def _publish(self, step: int) -> None:
        """Make the weights kept of this step, or the average as it is now, what `mtcli translate` loads."""
        is_kept = step in self.state.kept
        self.state.publish(step)
        if self.world.is_first:
            content = self._kept.path(step).read_bytes() if is_kept else self._averaged_weights()
            write_atomically(self.run_dir / WEIGHTS, content)
            write_card(self.run_dir, self.provenance())

    def _averaged_weights(self) -> bytes:
        return weights_bytes(parameters_of(self.average.network))

    def architecture(self) -> Architecture:
        """What config.json says of the model."""
        return Architecture(self.config.model, self.network.vocabulary, self.config.decoding, text=self.data.text)

    def provenance(self) -> dict[str, Any]:
        """What provenance.json records of the run so far."""
        state = self.state
        return {
            "command": ["mtcli", *sys.argv[1:]],
            "versions": versions(),
            "data": self.data.facts,
            "training": {
                "minutes": round(state.seconds / 60, 2),
                "steps": state.step,
                "epochs": round(self._epochs, 2),
                "target_tokens": state.tgt_tokens,
                "target_tokens_per_second": round(state.tgt_tokens / max(state.seconds, 1e-9)),
                "parameters": self.network.num_parameters(),
                "device": describe(self.device, self.dtype),
                "processes": self.world.size,
                "implementations": self.implementations.sentence(),
            },
            "weights": {"step": state.published_step, "blake2b": stored_checksum(self.run_dir / WEIGHTS)},
            "scores": state.published or {},
            "settings": state.settings,
        }


def _mix(seed: int, step: int) -> int:
    """A generator seed for one step, unlike its neighbours'."""
    return int(np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)[0] >> np.uint64(1))
