"""The training loop: rate, batches, loss, clip, update, average; validate and save now and then.

Teacher forcing: the decoder reads the true target up to each token and is to predict the next one, all
tokens of a batch at once; the loss is the softmax cross-entropy of those predictions.

All randomness derives from (seed, step) for dropout and (seed, epoch) for the order of the data, so a run
that was stopped anywhere goes on from its last checkpoint as if it had never stopped.
"""

import math
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch

from mtcli.config import Config
from mtcli.data.arrays import IntArray
from mtcli.data.batching import TokenBatches
from mtcli.data.prepare import PreparedData
from mtcli.devices import describe
from mtcli.errors import TrainingError
from mtcli.files import write_atomically
from mtcli.model.implementations import Implementations, companion
from mtcli.model.store import WEIGHTS, Architecture, parameters_of, weights_bytes
from mtcli.model.transformer import Transformer
from mtcli.training.averaging import WeightAverage
from mtcli.training.batch import make_batch
from mtcli.training.card import versions, write_card
from mtcli.training.checkpoint import RunState, restore, save_checkpoint
from mtcli.training.journal import Journal
from mtcli.training.schedule import Progress, learning_rate
from mtcli.training.validation import validate
from mtcli_kernels.cross_entropy import linear_cross_entropy


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
    ) -> None:
        """Set up a run at `state`; `resume` puts a checkpoint's tensors in place.

        Args:
            network: freshly initialised, on `device`, float32.
            dtype: of the matrix products.

        Raises:
            BackendUnavailableError: the form of attention that was asked for cannot run here.
        """
        self.config, self.data, self.state, self.run_dir, self.journal = config, data, state, run_dir, journal
        self.device, self.dtype = device, dtype
        self.network = network
        self.implementations = Implementations.resolve(
            network.attention,
            device,
            dtype,
            head_dim=config.model.head_dim,
            attention_dropout=config.model.attention_dropout,
            beam=config.training.valid_beam_size,
        )
        self.average = WeightAverage(network, config.training.average)
        settings = config.training
        self.optimizer = torch.optim.AdamW(
            network.parameters(),
            lr=settings.learning_rate,
            betas=(settings.beta1, settings.beta2),
            eps=settings.epsilon,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.batches = TokenBatches(
            data.train.src.lengths, data.train.tgt.lengths, settings.batch_tokens, settings.seed
        )
        self._epoch_batches: list[IntArray] = []
        self._epoch_of_batches = -1
        self._window = _Window()

    def resume(self, checkpoint: Path) -> None:
        """Put the tensors of a checkpoint in place of the initial ones."""
        restore(checkpoint, self.network, self.average, self.optimizer, self.device)

    def run(self) -> None:
        """Train until a limit, early stopping or an interrupt.

        Raises:
            TrainingError: the loss is not finite; the weights stay as they were before that step.
            KeyboardInterrupt: Ctrl-C or SIGTERM, after saving.
        """
        settings, state = self.config.training, self.state
        self.journal.start(self.progress().fraction(settings))
        try:
            with _interruptible() as interrupted:
                while not self.is_finished():
                    began = time.monotonic()
                    self._step()
                    state.seconds += time.monotonic() - began
                    if state.step % settings.log_every == 0:
                        self._log()
                    if self.is_finished() or state.step % settings.valid_every == 0:
                        self._validate()
                    if self.is_finished() or interrupted() or state.step % settings.save_every == 0:
                        self.save()
                    if interrupted():
                        self.journal.say(f"Saved at step {state.step:,}. The same command goes on from there.")
                        raise KeyboardInterrupt
        finally:
            self.journal.stop()

    def progress(self) -> Progress:
        self._load_epoch()
        epochs = self.state.epoch + self.state.batch / len(self._epoch_batches)
        return Progress(self.state.step, epochs, self.state.seconds)

    def is_finished(self) -> bool:
        """Whether a limit is reached, or scores have stopped rising."""
        return self.state.stopped_early or self.progress().fraction(self.config.training) >= 1

    def _load_epoch(self) -> None:
        if self._epoch_of_batches != self.state.epoch:
            self._epoch_batches = self.batches.epoch(self.state.epoch)
            self._epoch_of_batches = self.state.epoch

    def _step(self) -> None:
        """One update from the next `accumulate` batches."""
        settings, state = self.config.training, self.state
        rate = learning_rate(self.progress(), settings)
        group = self._epoch_batches[state.batch : state.batch + settings.accumulate]
        num_tokens = int(sum(self.data.train.tgt.lengths[indices].sum() for indices in group))
        torch.manual_seed(_mix(settings.seed, state.step))
        self.network.train()
        loss_sum, nll_sum = 0.0, 0.0
        for indices in group:
            loss, nll = self._loss(indices)
            (loss / num_tokens).backward()
            loss_sum, nll_sum = loss_sum + loss.item(), nll_sum + nll.item()
        norm = torch.nn.utils.clip_grad_norm_(
            self.network.parameters(), settings.clip_norm if settings.clip_norm > 0 else math.inf
        )
        if not (math.isfinite(loss_sum) and math.isfinite(norm)):
            self._stop_on_non_finite(loss_sum, float(norm), rate)
        for parameters in self.optimizer.param_groups:
            parameters["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad()
        state.step += 1
        self.average.update(self.network, state.step)
        state.tgt_tokens += num_tokens
        state.batch += len(group)
        if state.batch >= len(self._epoch_batches):
            state.epoch, state.batch = state.epoch + 1, 0
        self._window.add(loss_sum, nll_sum, num_tokens, rate)

    def _loss(self, indices: IntArray) -> tuple[torch.Tensor, torch.Tensor]:
        batch = make_batch(self.data.train, indices, self.data.tokenizers.tgt.start_id, self.device)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            states = self.network(batch.src, batch.src_packing, batch.tgt_in, batch.tgt_packing)
        smoothing = self.config.training.label_smoothing
        weight, impl = self.network.output.weight, companion(self.network.attention)
        return linear_cross_entropy(
            states, weight, batch.tgt_out, label_smoothing=smoothing, dtype=self.dtype, impl=impl
        )

    def _stop_on_non_finite(self, loss: float, norm: float, rate: float) -> None:
        raise TrainingError(
            f"Step {self.state.step + 1}: the loss is {loss:g} and its gradient's norm {norm:g} (learning rate "
            f"{rate:.2e}); finite numbers were expected. The weights were not updated. Try a lower "
            "training.learning_rate, a longer training.warmup_steps, or --dtype float32."
        )

    def _log(self) -> None:
        settings, state = self.config.training, self.state
        progress = self.progress()
        done = progress.fraction(settings)
        eta = state.seconds / done - state.seconds if done > 0 else None
        record = {"step": state.step, "epoch": round(progress.epochs, 4), "seconds": round(state.seconds, 2)}
        self.journal.training(done, eta, {**record, **self._window.take()})

    def _validate(self) -> None:
        """Score the averaged weights; keep them as the model when they are the best so far."""
        settings, state = self.config.training, self.state
        began = time.monotonic()
        self.journal.validating(state.step)
        scores = validate(self.average.network, self.data, self.config)
        rank = scores.rank(settings.stop_metric)
        is_best = state.best_score is None or rank > state.best_score
        record = {
            "step": state.step,
            "nll": round(scores.nll, 4),
            "perplexity": round(scores.perplexity, 3),
            "bleu": round(scores.bleu, 2),
        }
        if is_best:
            state.best_score, state.best_step, state.stale_validations = rank, state.step, 0
        else:
            state.stale_validations += 1
            state.stopped_early = 0 < settings.patience <= state.stale_validations
        state.validations.append(record)
        state.seconds += time.monotonic() - began
        self.journal.validation({**record, "seconds": round(state.seconds, 2)}, is_best)
        if is_best:
            write_atomically(self.run_dir / "checkpoints" / "best.safetensors", self._averaged_weights())
            self._publish()
        if state.stopped_early:
            self.journal.say(
                f"Stopping: {settings.stop_metric} has not improved for {state.stale_validations} validations "
                f"(best at step {state.best_step:,})."
            )

    def save(self) -> None:
        """Write a checkpoint; before any validation, also the model to translate with."""
        save_checkpoint(
            self.run_dir / "checkpoints",
            self.state,
            self.network,
            self.average,
            self.optimizer,
            self.config.training.keep,
        )
        if self.state.best_score is None:
            self._publish()
        write_card(self.run_dir, self.provenance())

    def _publish(self) -> None:
        """Make the averaged weights what `mtcli translate` loads."""
        write_atomically(self.run_dir / WEIGHTS, self._averaged_weights())

    def _averaged_weights(self) -> bytes:
        return weights_bytes(parameters_of(self.average.network))

    def architecture(self) -> Architecture:
        """What config.json says of the model."""
        return Architecture(self.config.model, self.network.vocabulary, self.config.decoding)

    def provenance(self) -> dict[str, Any]:
        """What provenance.json records of the run so far."""
        state = self.state
        best = [record for record in state.validations if record["step"] == state.best_step]
        minutes = state.seconds / 60
        return {
            "command": ["mtcli", *sys.argv[1:]],
            "versions": versions(),
            "data": self.data.facts,
            "training": {
                "minutes": round(minutes, 2),
                "steps": state.step,
                "epochs": round(self.progress().epochs, 2),
                "target_tokens": state.tgt_tokens,
                "target_tokens_per_second": round(state.tgt_tokens / max(state.seconds, 1e-9)),
                "parameters": self.network.num_parameters(),
                "device": describe(self.device, self.dtype),
                "implementations": self.implementations.sentence(),
            },
            "scores": best[0] if best else {},
            "settings": state.settings,
        }


class _Window:
    """Sums since the last log line."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self.loss, self.nll, self.tokens, self.rate = 0.0, 0.0, 0, 0.0
        self.began = time.monotonic()

    def add(self, loss: float, nll: float, tokens: int, rate: float) -> None:
        self.loss, self.nll, self.tokens, self.rate = (
            self.loss + loss,
            self.nll + nll,
            self.tokens + tokens,
            rate,
        )

    def take(self) -> dict[str, float]:
        """Means a target token, in nats, and target tokens a second."""
        tokens = max(1, self.tokens)
        taken = {
            "loss": round(self.loss / tokens, 4),
            "nll": round(self.nll / tokens, 4),
            "learning_rate": self.rate,
            "tgt_tokens_per_second": round(self.tokens / (time.monotonic() - self.began)),
        }
        self._reset()
        return taken


def _mix(seed: int, step: int) -> int:
    """A generator seed for one step, unlike its neighbours'."""
    return int(np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)[0] >> np.uint64(1))


@contextmanager
def _interruptible() -> Iterator[Any]:
    """Turn the first Ctrl-C or SIGTERM into a flag that is looked at between steps; a second one acts at once."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
