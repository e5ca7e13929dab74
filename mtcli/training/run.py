"""One call from configuration to trained model: prepare the data, find where the run stands, go on."""

from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from mtcli.config import Config
from mtcli.data.prepare import PreparedData, prepare
from mtcli.devices import describe, prepare_cpu, resolve_device, resolve_dtype
from mtcli.errors import CheckpointError, ConfigError
from mtcli.files import file_error
from mtcli.model.store import sizes_of, write_description
from mtcli.model.transformer import Transformer
from mtcli.training.checkpoint import RunState, find_checkpoint
from mtcli.training.journal import Journal, format_seconds
from mtcli.training.loop import Trainer

# Settings that may change between one call and the next: they decide how long and how often, not what is learnt.
_FREE = {
    "training": {
        *("max_steps", "max_epochs", "max_minutes", "valid_every", "save_every", "log_every", "keep"),
        *("stop_metric", "patience", "valid_beam_size", "device", "attention"),
    },
    "data": {"src", "tgt", "tsv", "valid_src", "valid_tgt", "tokenizer", "src_tokenizer", "tgt_tokenizer"},
}
_DEFAULT_EPOCHS = 1000


def train(config: Config, run_dir: Path, *, quiet: bool = False) -> None:
    """Train as configured in `run_dir`, or go on where it stopped; a finished run is left as it is.

    Raises:
        ConfigError: settings that contradict the corpus or the run so far.
        DataError: the corpus cannot be read, or the directory not written.
        CheckpointError: the directory holds something else, or damaged checkpoints only.
        TrainingError: the loss is not finite.
        BackendUnavailableError: the device or dtype is not to be had here.
    """
    prepare_cpu()
    device = resolve_device(config.training.device)
    dtype = resolve_dtype(config.training.dtype, device)
    _check_directory(run_dir)
    journal = Journal(run_dir / "log.jsonl", Console(stderr=True), quiet)
    found = find_checkpoint(run_dir / "checkpoints", journal.say)
    if found:
        _refuse_changes(found[1].settings, _settings(config, dtype), run_dir)
    data = prepare(config, run_dir, journal.say, found[1].data_key if found else None)
    config = _with_limit(config, journal)
    state = found[1] if found else RunState(data.key, {})
    state.settings = _settings(config, dtype)
    trainer = _trainer(config, data, state, run_dir, journal, device, dtype)
    if found:
        trainer.resume(found[0])
        if trainer.is_finished():
            journal.say(f"This run is finished (step {state.step:,}). Nothing to do; raise a limit to train on.")
            return
        journal.say(f"Going on from step {state.step:,}.")
    write_description(run_dir, trainer.architecture(), data.tokenizers)
    journal.rewind(state.step)
    trainer.run()
    _summarise(trainer, journal)


def _check_directory(run_dir: Path) -> None:
    if run_dir.exists() and not run_dir.is_dir():
        raise CheckpointError(f"The output {run_dir} is a file. Give a directory for the run.")
    looks_like_a_run = (run_dir / "cache").exists() or (run_dir / "config.json").exists()
    if run_dir.is_dir() and any(run_dir.iterdir()) and not looks_like_a_run:
        raise CheckpointError(f"The directory {run_dir} holds something that is not a training run. Give another one.")
    try:
        (run_dir / "cache").mkdir(parents=True, exist_ok=True)
        (run_dir / "checkpoints").mkdir(exist_ok=True)
    except OSError as error:
        raise file_error(run_dir, error, "write") from error


def _settings(config: Config, dtype: torch.dtype) -> dict[str, Any]:
    """The settings as they are recorded, the number type resolved."""
    settings = config.model_dump(mode="json")
    settings["training"]["dtype"] = str(dtype).removeprefix("torch.")
    return settings


def _refuse_changes(old: dict[str, Any], new: dict[str, Any], run_dir: Path) -> None:
    for section in ("model", "data", "training"):
        for key, value in new[section].items():
            before = old[section].get(key)
            if before != value and key not in _FREE.get(section, set()):
                raise ConfigError(
                    f"The run in {run_dir} began with {section}.{key} = {before!r}; now it is {value!r}. "
                    "Use the old value to go on with it, or another -o for a new run."
                )


def _with_limit(config: Config, journal: Journal) -> Config:
    training = config.training
    if training.max_steps or training.max_epochs or training.max_minutes:
        return config
    stop = f"{training.stop_metric} has not improved for {training.patience} validations"
    if not training.patience:
        raise ConfigError("Without training.patience a limit is needed: --max-steps, --max-epochs or --max-minutes.")
    journal.say(f"No limit given: training until {stop}, at most {_DEFAULT_EPOCHS} epochs. Ctrl-C saves and stops.")
    # The end is not known, so the rate does not fall towards it.
    limited = training.model_copy(update={"max_epochs": _DEFAULT_EPOCHS, "cooldown": 0.0})
    return config.model_copy(update={"training": limited})


def _trainer(
    config: Config,
    data: PreparedData,
    state: RunState,
    run_dir: Path,
    journal: Journal,
    device: torch.device,
    dtype: torch.dtype,
) -> Trainer:
    torch.manual_seed(config.training.seed)
    network = Transformer(config.model, sizes_of(data.tokenizers)).to(device)
    network.attention = config.training.attention
    trainer = Trainer(config, data, network, state, run_dir, journal, device=device, dtype=dtype)
    journal.say(
        f"Training {network.num_parameters():,} parameters on {describe(device, dtype)}. "
        f"Attention: {trainer.implementations.sentence()}."
    )
    return trainer


def _summarise(trainer: Trainer, journal: Journal) -> None:
    state = trainer.state
    best = f" Best validation: BLEU {_best_bleu(state):.2f} at step {state.best_step:,}." if state.validations else ""
    journal.say(
        f"Done: {state.step:,} steps, {state.tgt_tokens:,} target tokens in {format_seconds(state.seconds)}.{best}"
    )


def _best_bleu(state: RunState) -> float:
    return next(record["bleu"] for record in state.validations if record["step"] == state.best_step)
