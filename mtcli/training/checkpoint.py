"""A training run's state on disk: whole or not there, checked before it is used.

checkpoints/step-00001000/ holds model.safetensors (the weights in training), average.safetensors,
optimizer.safetensors and state.json with the others' checksums and its own. It is written under another name and
renamed.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mtcli.config import TrainingConfig
from mtcli.errors import CheckpointError
from mtcli.files import file_error, sync
from mtcli.model.transformer import Transformer
from mtcli.model_directory.weights import load_weights, parameters_of, read_tensors, weights_bytes
from mtcli.training.averaging import WeightAverage
from mtcli.training.ranking import METRICS, Metric, best

_NAME = re.compile(r"step-(\d+)")
_STATE, _SEAL = "state.json", "checksum"


@dataclass
class RunState:
    """Where a run stands, beyond its tensors.

    Attributes:
        step: updates made; epoch and batch: the next batch to train on.
        seconds: training time; tgt_tokens: target tokens trained on.
        validations: every validation's step and scores.
        bleu_tokenizer: of the BLEU that validations are compared by.
        best_step: of the best validation whose weights are kept, 0 before there is one; kept: the steps whose weights
            are: those of the best by each measure, and those that are published.
        stale_validations: validations since the best.
        published_step: whose weights the model is, 0 before there is one.
        data_key: names the prepared corpus; settings: the configuration the run began with.
        stopped_early: the run ended because validation scores no longer rose.
    """

    data_key: str
    settings: dict[str, Any]
    step: int = 0
    epoch: int = 0
    batch: int = 0
    seconds: float = 0.0
    tgt_tokens: int = 0
    validations: list[dict[str, Any]] = field(default_factory=list)
    bleu_tokenizer: str = "13a"
    best_step: int = 0
    kept: list[int] = field(default_factory=list)
    stale_validations: int = 0
    published_step: int = 0
    stopped_early: bool = False

    def judge(self, config: TrainingConfig, settings: dict[str, Any], tokenizer: str, kept: Iterable[int]) -> None:
        """Go on by these settings: what is the best so far, and whether scores have stopped rising, may change.

        Args:
            tokenizer: BLEU's from now on.
            kept: the steps whose weights are there.
        """
        self.settings, self.bleu_tokenizer = settings, tokenizer
        validated = {int(record["step"]) for record in self.validations}
        self.kept = sorted(validated.intersection(kept))
        self._rank(config)

    def note(self, record: dict[str, Any], config: TrainingConfig) -> bool:
        """Take in a validation; whether it is the best so far. `kept` says whether its weights are to be."""
        self.validations.append(record)
        self.kept.append(int(record["step"]))
        self._rank(config)
        return bool(self.best_step == record["step"])

    @property
    def published(self) -> dict[str, Any] | None:
        """The validation of the weights that the model is; None where they were not validated."""
        return next((record for record in self.validations if record["step"] == self.published_step), None)

    def publish(self, step: int) -> None:
        """The model is of this step's weights from now on; those before it stay for a measure they are the best by."""
        self.published_step = step
        self._keep(self._best().values())

    def _best(self) -> dict[Metric, dict[str, Any] | None]:
        """The best by each measure of the validations whose weights are kept."""
        candidates = [record for record in self.validations if record["step"] in self.kept]
        return {metric: best(candidates, metric, self.bleu_tokenizer) for metric in METRICS}

    def _keep(self, records: Iterable[dict[str, Any] | None]) -> None:
        needed = {int(record["step"]) for record in records if record} | {self.published_step}
        self.kept = sorted(needed.intersection(self.kept))

    def _rank(self, config: TrainingConfig) -> None:
        found = self._best()
        self._keep(found.values())
        chosen = found[config.stop_metric]
        self.best_step = int(chosen["step"]) if chosen else 0
        self.stale_validations = sum(record["step"] > self.best_step for record in self.validations) if chosen else 0
        self.stopped_early = 0 < config.patience <= self.stale_validations


def save_checkpoint(
    directory: Path,
    state: RunState,
    network: Transformer,
    average: WeightAverage,
    optimizer: torch.optim.Optimizer,
    keep: int,
) -> None:
    """Write a checkpoint, and delete the oldest beyond `keep` and those of later steps, which were of no use.

    Raises:
        DataError: it cannot be written; older checkpoints stay as they are.
    """
    target = directory / f"step-{state.step:08d}"
    partial = target.with_suffix(".partial")
    parts: dict[str, Callable[[], dict[str, Tensor]]] = {
        "model.safetensors": lambda: parameters_of(network),
        "average.safetensors": lambda: parameters_of(average.network),
        "optimizer.safetensors": lambda: _optimizer_tensors(network, optimizer),
    }
    checksums = {}
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name, tensors in parts.items():  # one after the other: a large model's bytes are not held twice
            content = weights_bytes(tensors())
            checksums[name] = _checksum(content)
            _write(partial / name, content)
        _write(partial / _STATE, _sealed({**asdict(state), "checksums": checksums}))
        shutil.rmtree(target, ignore_errors=True)
        sync(partial)
        partial.rename(target)
        sync(directory)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise file_error(target, error, "write") from error
    found = _checkpoints(directory)
    useless = [path for path in found if path.name > target.name]  # damaged: else the run had gone on from them
    for path in [*useless, *found[len(useless) :][keep:]]:
        shutil.rmtree(path, ignore_errors=True)


def find_checkpoint(directory: Path, warn: Callable[[str], None]) -> tuple[Path, RunState] | None:
    """The newest whole checkpoint and its state, or None when there is none.

    Raises:
        CheckpointError: there are checkpoints, but all are damaged.
    """
    candidates = _checkpoints(directory)
    for path in candidates:
        try:
            return path, _read_state(path)
        except CheckpointError as error:
            warn(f"Warning: {error} Trying the checkpoint before it.")
    if candidates:
        raise CheckpointError(
            f"All checkpoints in {directory} are damaged. Delete the directory to start the run afresh."
        )
    return None


def restore(
    path: Path,
    network: Transformer,
    average: WeightAverage,
    optimizer: torch.optim.Optimizer,
    device: torch.device,
) -> None:
    """Put a checkpoint's tensors back.

    Raises:
        CheckpointError: they do not fit the network.
    """
    load_weights(network, path / "model.safetensors")
    load_weights(average.network, path / "average.safetensors")
    tensors = read_tensors(path / "optimizer.safetensors", device)
    for name, parameter in network.named_parameters():
        optimizer.state[parameter] = {
            key: tensors[f"{name}.{key}"] for key in ("step", "exp_avg", "exp_avg_sq") if f"{name}.{key}" in tensors
        }


def _optimizer_tensors(network: Transformer, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {
        f"{name}.{key}": value
        for name, parameter in network.named_parameters()
        for key, value in optimizer.state[parameter].items()
    }


def _checkpoints(directory: Path) -> list[Path]:
    """All whole checkpoints, the newest first."""
    if not directory.is_dir():
        return []
    return sorted((path for path in directory.iterdir() if _NAME.fullmatch(path.name)), reverse=True)


def _write(path: Path, content: bytes) -> None:
    """To the disk itself: a name must never come to stand for less than the whole."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sealed(content: dict[str, Any]) -> bytes:
    """As JSON that holds its own checksum."""
    return json.dumps({**content, _SEAL: _checksum(json.dumps(content).encode())}, indent=1).encode()


def _read_state(path: Path) -> RunState:
    try:
        content = json.loads((path / _STATE).read_text(encoding="utf-8"))
        seal = content.pop(_SEAL)
        if seal != _checksum(json.dumps(content).encode()):
            raise CheckpointError(f"{path / _STATE} is damaged: its checksum is not the one recorded.")
        checksums = content.pop("checksums")
        for name, expected in checksums.items():
            if _checksum((path / name).read_bytes()) != expected:
                raise CheckpointError(f"{path / name} is damaged: its checksum is not the one recorded.")
        content.pop("best_score", None)  # of earlier versions, which did not keep the weights of each measure's best
        return RunState(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"The checkpoint {path} is damaged ({error}).") from None


def _checksum(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
