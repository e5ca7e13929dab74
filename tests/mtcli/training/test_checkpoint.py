"""Checkpoints: whole or not there, the damaged one named and the one before it used."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from mtcli.config import ModelConfig, TrainingConfig, VocabularySizes
from mtcli.errors import CheckpointError, DataError
from mtcli.model.transformer import Transformer
from mtcli.training import checkpoint
from mtcli.training.averaging import WeightAverage
from mtcli.training.checkpoint import RunState, find_checkpoint, restore, save_checkpoint
from mtcli.training.ranking import Metric

CONFIG = ModelConfig(encoder_layers=1, decoder_layers=1, d_model=8, ffn_dim=8, heads=1)


class Run:
    """A network with something in its optimizer."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        self.network = Transformer(CONFIG, VocabularySizes(source=16, target=16, shared=True))
        self.average = WeightAverage(self.network, 0.1)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=0.01, fused=True)

    def train(self, step: int) -> None:
        for parameter in self.network.parameters():
            parameter.grad = torch.randn_like(parameter)
        self.optimizer.step()
        self.average.update(self.network, step)

    def save(self, directory: Path, step: int, keep: int = 10) -> None:
        state = RunState("key", {}, step=step, seconds=1.5, best_step=1, validations=[{"step": 1, "bleu": 2.0}])
        save_checkpoint(directory, state, self.network, self.average, self.optimizer, keep)


def _fail(message: str) -> None:
    raise AssertionError(message)


def test_everything_comes_back(tmp_path: Path) -> None:
    run, other = Run(1), Run(2)
    run.train(1)
    run.save(tmp_path, 7)
    found = find_checkpoint(tmp_path, _fail)
    assert found is not None
    path, state = found
    assert (state.step, state.seconds, state.best_step, state.validations) == (7, 1.5, 1, [{"step": 1, "bleu": 2.0}])
    restore(path, other.network, other.average, other.optimizer, torch.device("cpu"))
    torch.manual_seed(3)
    run.train(8)
    torch.manual_seed(3)
    other.train(8)
    for mine, theirs in (
        (run.network.parameters(), other.network.parameters()),
        (run.average.network.parameters(), other.average.network.parameters()),
    ):
        assert all(a.equal(b) for a, b in zip(mine, theirs, strict=True))


def test_the_newest_are_kept(tmp_path: Path) -> None:
    run = Run(1)
    run.train(1)
    for step in (5, 10, 100):
        run.save(tmp_path, step, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000010", "step-00000100"]


def test_checkpoints_behind_which_a_run_fell_back_are_not_kept(tmp_path: Path) -> None:
    """Nor do they take the place of whole ones."""
    run = Run(1)
    run.train(1)
    for step in (1000, 2000):
        run.save(tmp_path, step, keep=2)
    (tmp_path / "step-00002000" / "state.json").unlink()
    run.save(tmp_path, 1100, keep=1)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00001100"]
    found = find_checkpoint(tmp_path, _fail)
    assert found is not None and found[1].step == 1100


VALIDATIONS: list[dict[str, Any]] = [
    {"step": 10, "bleu": 5.0, "nll": 3.0},
    {"step": 20, "bleu": 7.0, "nll": 2.0},
    {"step": 30, "bleu": 6.0, "nll": 1.0},
    {"step": 40, "bleu": 6.5, "nll": 2.5},
]


def state_after(records: list[dict[str, Any]], config: TrainingConfig, tokenizer: str = "13a") -> RunState:
    state = RunState("key", {})
    state.judge(config, {}, tokenizer, [])
    for record in records:
        state.note(record, config)
        state.publish(state.best_step)
    return state


@pytest.mark.parametrize(("metric", "best_step", "stale"), [("bleu", 20, 2), ("loss", 30, 1)])
def test_another_stopping_metric_judges_all_validations_anew(metric: Metric, best_step: int, stale: int) -> None:
    state = state_after(VALIDATIONS, TrainingConfig(stop_metric="loss" if metric == "bleu" else "bleu"))
    assert state.best_step != best_step
    assert state.kept == [20, 30], "the best by either"
    then = TrainingConfig(stop_metric=metric, patience=stale)
    state.judge(then, {"training": {"stop_metric": metric}}, "13a", state.kept)
    assert (state.best_step, state.stale_validations) == (best_step, stale)
    assert state.stopped_early
    state.judge(TrainingConfig(stop_metric=metric, patience=stale + 1), state.settings, "13a", state.kept)
    assert not state.stopped_early, "more patience, and the run may go on"
    assert state.best_step == best_step


def test_only_weights_that_are_there_are_the_best() -> None:
    state = state_after(VALIDATIONS, TrainingConfig(stop_metric="bleu"))
    state.judge(TrainingConfig(stop_metric="loss"), {}, "13a", [20])
    assert (state.best_step, state.published_step) == (20, 20)


def test_bleu_of_another_tokenizer_is_not_compared_with() -> None:
    state, config = state_after(VALIDATIONS, TrainingConfig(stop_metric="bleu")), TrainingConfig(stop_metric="bleu")
    state.judge(config, {}, "char", state.kept)
    assert (state.best_step, state.published_step, state.stopped_early) == (0, 20, False)
    assert state.published == VALIDATIONS[1]
    assert state.note({"step": 50, "bleu": 1.0, "nll": 2.0, "bleu_tokenizer": "char"}, config)
    assert state.kept == [20, 30, 50], "the published ones, too, until they are replaced"


def test_a_run_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    run = Run(1)
    run.train(1)
    run.save(tmp_path, 5)
    path = tmp_path / "step-00000005" / "state.json"
    content = json.loads(path.read_text())
    for name in ("checksum", "kept", "published_step", "bleu_tokenizer"):
        del content[name]
    path.write_bytes(checkpoint._sealed({**content, "best_score": 2.0}))
    found = find_checkpoint(tmp_path, _fail)
    assert found is not None
    assert (found[1].best_step, found[1].kept, found[1].published_step) == (1, [], 0)


@pytest.mark.parametrize("name", ["model.safetensors", "average.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_used(tmp_path: Path, name: str, damage: str) -> None:
    run = Run(1)
    run.train(1)
    run.save(tmp_path, 5)
    run.save(tmp_path, 6)
    victim = tmp_path / "step-00000006" / name
    content = bytearray(victim.read_bytes())
    if damage == "remove":
        victim.unlink()
    elif damage == "cut":
        victim.write_bytes(content[: len(content) // 2])
    else:
        content[0] ^= 0xFF
        victim.write_bytes(content)
    warnings: list[str] = []
    found = find_checkpoint(tmp_path, warnings.append)
    assert found is not None
    assert found[1].step == 5
    assert len(warnings) == 1
    assert "step-00000006" in warnings[0]


def test_a_changed_number_in_the_state_is_noticed(tmp_path: Path) -> None:
    run = Run(1)
    run.train(1)
    run.save(tmp_path, 5)
    state = tmp_path / "step-00000005" / "state.json"
    changed = state.read_text().replace('"seconds": 1.5', '"seconds": 1.6')
    assert changed != state.read_text()
    state.write_text(changed)
    with pytest.raises(CheckpointError):
        find_checkpoint(tmp_path, lambda _: None)


@pytest.mark.parametrize("written", [0, 1, 2, 3])
def test_a_full_disk_loses_nothing(tmp_path: Path, written: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(1)
    run.train(1)
    run.save(tmp_path, 5)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    write, left = checkpoint._write, [written]

    def write_until_full(path: Path, content: bytes) -> None:
        if not left[0]:
            path.write_bytes(content[: len(content) // 2])
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        left[0] -= 1
        write(path, content)

    monkeypatch.setattr(checkpoint, "_write", write_until_full)
    for keep in (1, 2):
        left[0] = written
        with pytest.raises(DataError, match=r"step-00000006.*[Ss]pace"):
            run.save(tmp_path, 6, keep=keep)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert find_checkpoint(tmp_path, _fail) is not None


def test_only_damaged_checkpoints_is_an_error(tmp_path: Path) -> None:
    run = Run(1)
    run.train(1)
    run.save(tmp_path, 5)
    (tmp_path / "step-00000005" / "state.json").write_text("{}")
    with pytest.raises(CheckpointError, match="start the run afresh"):
        find_checkpoint(tmp_path, lambda _: None)


def test_a_half_written_checkpoint_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "step-00000005.partial").mkdir()
    assert find_checkpoint(tmp_path, _fail) is None
    assert find_checkpoint(tmp_path / "nothing", _fail) is None
