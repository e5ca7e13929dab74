"""One call from configuration to trained model: prepare the data, find where the run stands, go on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from mtcli.config import Config, DataConfig, ModelConfig, TrainingConfig
from mtcli.data.prepare import prepare
from mtcli.devices import describe, dtype_name, prepare_cpu, resolve_device, resolve_dtype
from mtcli.errors import CheckpointError, ConfigError, ExitCode
from mtcli.evaluation.metrics import bleu_metric
from mtcli.evaluation.tokenizers import DEFAULT, suited_tokenizer
from mtcli.model.transformer import Transformer
from mtcli.model_directory.description import write_description
from mtcli.model_directory.files import WEIGHTS
from mtcli.model_directory.weights import load_weights
from mtcli.training.calibration import calibrate
from mtcli.training.checkpoint import RunState, find_checkpoint
from mtcli.training.directory import run_directory
from mtcli.training.dry_run import estimate
from mtcli.training.fine_tune import advice, fine_tuning_config, normalisation_of
from mtcli.training.int8 import check_int8
from mtcli.training.journal import Journal, format_seconds
from mtcli.training.kept_weights import KeptWeights
from mtcli.training.loop import Trainer
from mtcli.training.ranking import criterion
from mtcli.training.world import World, is_launched, launched_as, world_of_this_process

# Settings that may change between one call and the next: they decide how long and how often, not what is learnt.
_FREE = {
    "training": {
        *("max_steps", "max_epochs", "max_minutes", "valid_every", "save_every", "log_every", "keep"),
        *("stop_metric", "bleu_tokenizer", "patience", "valid_beam_size", "int8_lines"),
        *("device", "attention", "fine_tune"),
    },
    "data": {
        *("src", "tgt", "tsv", "corpora", "valid_src", "valid_tgt"),
        *("tokenizer", "src_tokenizer", "tgt_tokenizer"),
    },
}
_DEFAULT_EPOCHS = 1000


def train(config: Config, run_dir: Path, *, quiet: bool = False, dry_run: bool = False) -> None:
    """Train as configured in `run_dir`, or go on where it stopped; a finished run is left as it is.

    Where torchrun started several processes, each calls this, and they train together.

    Args:
        dry_run: say what it would take, by a few steps of a network that is then forgotten; only the prepared corpus
            stays.

    Raises:
        ConfigError: settings that contradict the corpus, the run so far, or the model to fine-tune.
        DataError: the corpus cannot be read, or the directory not written.
        CheckpointError: the directory holds something else, or damaged checkpoints only.
        TrainingError: the loss is not finite, or another process has ended.
        BackendUnavailableError: the device or dtype is not to be had here.
    """
    prepare_cpu()
    config, device = fine_tuning_config(config), _device(config.training.device)
    with world_of_this_process(device) as world, run_directory(run_dir, is_writer=world.is_first):
        log = run_dir / "log.jsonl" if world.is_first else None
        journal = Journal(log, Console(stderr=True), quiet or not world.is_first)
        run = _Run(config, run_dir, world, journal, device)
        try:
            run.try_out() if dry_run else run.train()
        except KeyboardInterrupt:
            if not world.is_first:  # one of them says so
                raise SystemExit(ExitCode.INTERRUPTED) from None
            raise


def _device(name: str) -> torch.device:
    """The device asked for; a GPU with its number, and among several processes on a machine each one's own."""
    device = resolve_device(name)
    if device.type == "cuda":
        if is_launched():
            device = resolve_device(f"cuda:{launched_as()[2]}")
        elif device.index is None:
            device = torch.device("cuda", torch.cuda.current_device())
        torch.cuda.set_device(device)
    return device


class _Run:
    """A run's directory, what it holds, and what is to be done."""

    def __init__(self, config: Config, run_dir: Path, world: World, journal: Journal, device: torch.device) -> None:
        self._run_dir, self._world, self._journal, self._device = run_dir, world, journal, device
        self._dtype = _agreed_dtype(config.training.dtype, device, world)
        with world.first_goes_first():
            self._found = find_checkpoint(run_dir / "checkpoints", journal.say)
            if self._found and config.training.dtype == "auto":
                self._dtype = resolve_dtype(self._found[1].settings["training"]["dtype"], device)
            if self._found:
                _refuse_changes(self._found[1].settings, _settings(config, self._dtype), run_dir)
            key = self._found[1].data_key if self._found else None
            self._data = prepare(
                config,
                run_dir,
                journal.say,
                key,
                normalisation=normalisation_of(config),
                console=journal.console,
                may_build=world.is_first,
            )
            self._kept = _kept_steps(run_dir / "checkpoints", self._found)
        self._tokenizer = _bleu_tokenizer(config.training.bleu_tokenizer, self._data.valid_ref, journal)
        if config.training.fine_tune and (sentence := advice(config.training.fine_tune, self._data.facts)):
            journal.say(sentence)
        self._config = config
        _refuse_unlike(world, self._data.key, self._found[1].step if self._found else 0, run_dir)

    def train(self) -> None:
        state = self._go_on()
        if self._world.is_first:
            step, device = state.published_step, str(self._device)
            calibrate(self._run_dir, self._data, self._journal, step=step, device=device)
        if self._world.is_first and self._device.type == "cpu":
            check_int8(
                self._run_dir,
                self._data,
                self._journal,
                step=state.published_step,
                num_lines=self._config.training.int8_lines,
                tokenizer=state.bleu_tokenizer,
            )
        self._journal.say(f"Translate with it: mtcli translate -m {self._run_dir} -i FILE")

    def _go_on(self) -> RunState:
        config, journal, found = _with_limit(self._config, self._journal), self._journal, self._found
        state = found[1] if found else RunState(self._data.key, {})
        state.judge(config.training, _settings(self._config, self._dtype), self._tokenizer, self._kept)
        trainer = self._trainer(config, state)
        if found:
            trainer.resume(found[0])
            trainer.publish_best()
            if trainer.is_finished():
                journal.say(f"This run is finished (step {state.step:,}). Nothing to do; {_more(state)} to train on.")
                return state
            journal.say(f"Going on from step {state.step:,}.")
        if self._world.is_first:
            write_description(self._run_dir, trainer.architecture(), self._data.tokenizers)
            journal.rewind(state.step)
        trainer.run()
        _summarise(trainer, journal)
        return state

    def try_out(self) -> None:
        trainer = self._trainer(self._config, RunState(self._data.key, {}))
        for sentence in estimate(trainer).sentences():
            self._journal.say(sentence)
        self._journal.say(f"Nothing was trained. The prepared corpus stays in {self._run_dir / 'cache'} for the run.")

    def _trainer(self, config: Config, state: RunState) -> Trainer:
        torch.manual_seed(config.training.seed)
        network = Transformer(config.model, self._data.tokenizers.sizes).to(self._device)
        if config.training.fine_tune and state.step == 0:
            load_weights(network, config.training.fine_tune / WEIGHTS)
        network.attention = config.training.attention
        trainer = Trainer(
            config,
            self._data,
            network,
            state,
            self._run_dir,
            self._journal,
            device=self._device,
            dtype=self._dtype,
            world=self._world,
        )
        several = f" in each of {self._world.size} processes" if self._world.size > 1 else ""
        self._journal.say(
            f"Training {network.num_parameters():,} parameters on {describe(self._device, self._dtype)}{several}. "
            f"Attention: {trainer.implementations.sentence()}."
        )
        return trainer


def _bleu_tokenizer(name: str, references: Sequence[str], journal: Journal) -> str:
    """The tokenizer of validation's BLEU.

    Raises:
        BackendUnavailableError: it needs a package or a download that is not there.
    """
    if name != "auto":
        bleu_metric(name, lowercase=False)
        return name
    suited = suited_tokenizer(references)
    if suited != DEFAULT:
        journal.say(f"Validation: BLEU with the tokenizer {suited}, which suits the target's script.")
    return suited


def _kept_steps(directory: Path, found: tuple[Path, RunState] | None) -> set[int]:
    """The steps of a run's validations whose weights are there."""
    kept = KeptWeights(directory)
    if found:
        kept.adopt(found[0], found[1].best_step)
    return kept.steps()


def _agreed_dtype(name: str, device: torch.device, world: World) -> torch.dtype:
    """The number type of a run that begins, one for all its processes: what the first of them finds."""
    return resolve_dtype(world.gather_lines([dtype_name(resolve_dtype(name, device))])[0][0], device)


def _settings(config: Config, dtype: torch.dtype) -> dict[str, Any]:
    """The settings as they are recorded: the number type resolved, the corpora's weights apart from their names."""
    settings = config.model_dump(mode="json")
    settings["training"]["dtype"] = str(dtype).removeprefix("torch.")
    settings["data"]["weights"] = list(config.data.weights)
    return settings


def _refuse_changes(old: dict[str, Any], new: dict[str, Any], run_dir: Path) -> None:
    for section, kind in (("model", ModelConfig), ("data", DataConfig), ("training", TrainingConfig)):
        # A setting that is not recorded has its default: mtcli did not have it then, or leaves the usual one out.
        usual = {name: field.default for name, field in kind.model_fields.items()} | {"weights": [1.0]}
        for key in sorted(old[section].keys() | new[section].keys()):
            before, value = (settings[section].get(key, usual.get(key)) for settings in (old, new))
            if before != value and key not in _FREE.get(section, set()):
                raise ConfigError(
                    f"The run in {run_dir} began with {section}.{key} = {before!r}; now it is {value!r}. "
                    "Use the old value to go on with it, or another -o for a new run."
                )


def _refuse_unlike(world: World, key: str, step: int, run_dir: Path) -> None:
    """All processes must see the same corpus and the same checkpoint."""
    seen = [line for lines in world.gather_lines([f"step {step:,} of corpus {key}"]) for line in lines]
    if len(set(seen)) > 1:
        raise CheckpointError(
            f"The processes of this run see different things in {run_dir}: {', '.join(sorted(set(seen)))}. They need a "
            "file system that all of them share."
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


def _more(state: RunState) -> str:
    """What to ask for when a run that is finished is to go on."""
    if not state.stopped_early:
        return "raise a limit"
    return f"scores had not risen for {state.stale_validations} validations, so raise training.patience (0: never stop)"


def _summarise(trainer: Trainer, journal: Journal) -> None:
    state = trainer.state
    record = state.published
    best = ""
    if record:
        why = criterion(record, trainer.config.training.stop_metric)
        best = f" Best validation: BLEU {record['bleu']:.2f} at step {state.published_step:,}{why}."
    journal.say(
        f"Done: {state.step:,} steps, {state.tgt_tokens:,} target tokens in {format_seconds(state.seconds)}.{best}"
    )
