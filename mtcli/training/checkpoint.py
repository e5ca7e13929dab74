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
from collections.abc import Callable, Mapping
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

_NAME = re.compile(r"step-(\d+)")
_STATE, _SEAL = "state.json", "checksum"


@dataclass
class RunState:
    """Where a run stands, beyond its tensors.

    Attributes:
        step: updates made; epoch and batch: the next batch to train on.
        seconds: training time; tgt_tokens: target tokens trained on.
        best_score: of the stopping metric, higher is better; best_step: when it was reached.
        stale_validations: validations since then.
        validations: every validation's step and scores.
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
    best_score: float | None = None
    best_step: int = 0
    stale_validations: int = 0
    validations: list[dict[str, float]] = field(default_factory=list)
    stopped_early: bool = False

    def judge(self, config: TrainingConfig, settings: dict[str, Any]) -> None:
        """Go on by these settings: what is the best so far, and whether scores have stopped rising, may change."""
        before = self.settings.get("training", {}).get("stop_metric", config.stop_metric)
        self.settings = settings
        if before != config.stop_metric:
            self.best_score, self.best_step = None, 0
            for record in self.validations:
                self._compare(int(record["step"]), stopping_score(record, config.stop_metric))
        self.stopped_early = 0 < config.patience <= self.stale_validations

    def note(self, record: dict[str, float], score: float, config: TrainingConfig) -> bool:
        """Take in a validation's record and its score; whether it is the best so far."""
        self.validations.append(record)
        is_best = self._compare(int(record["step"]), score)
        self.stopped_early = 0 < config.patience <= self.stale_validations
        return is_best

    def _compare(self, step: int, score: float) -> bool:
        is_best = self.best_score is None or score > self.best_score
        if is_best:
            self.best_score, self.best_step, self.stale_validations = score, step, 0
        else:
            self.stale_validations += 1
        return is_best


def stopping_score(record: Mapping[str, float], metric: str) -> float:
    """The stopping metric of a validation, turned so that higher is better."""
    return record["bleu"] if metric == "bleu" else -record["nll"]


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
        return RunState(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"The checkpoint {path} is damaged ({error}).") from None


def _checksum(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
