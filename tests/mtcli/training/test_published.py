"""What a card says is of the weights beside it, whatever says what is the best, and however often that changes."""

import json
from collections.abc import Sequence
from math import exp
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support.command import succeed
from support.letters import LETTERS, letter_pairs, write_sides

from mtcli.config import Config, load_config
from mtcli.evaluation.metrics import ValidationMetrics
from mtcli.model_directory.weights import tensors_checksum
from mtcli.training import validation
from mtcli.training.loop import Trainer
from mtcli.training.run import train

pytestmark = pytest.mark.usefixtures("one_thread")
SIZES = {"encoder_layers": 1, "decoder_layers": 1, "d_model": 16, "ffn_dim": 16, "heads": 2, "dropout": 0.0}


class Run:
    """A run whose loss falls from step to step while its BLEU is said to fall, too."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory, self.model = directory, directory / "run"
        self.train = write_sides(letter_pairs("copy", 200, seed=1), directory / "train")
        self.valid = write_sides(letter_pairs("copy", 60, seed=2), directory / "valid")
        self._bleu = 90.0
        monkeypatch.setattr(validation, "validation_metrics", self._metrics)

    def _metrics(self, hypotheses: Sequence[str], references: Sequence[str], tokenizer: str) -> ValidationMetrics:
        self._bleu -= 10
        return ValidationMetrics(self._bleu, 1.0, f"tok:{tokenizer}")

    def config(self, metric: str, steps: int, **training: object) -> Config:
        files = {"src": self.train[0], "tgt": self.train[1], "valid_src": self.valid[0], "valid_tgt": self.valid[1]}
        return load_config(
            options={
                "model": SIZES,
                "data": {**{name: [str(path)] for name, path in files.items()}, "vocab_size": 290},
                "training": {
                    "max_steps": steps,
                    "valid_every": 1,
                    "save_every": 2,
                    "batch_tokens": 400,
                    "device": "cpu",
                    "learning_rate": 3e-3,
                    "warmup_steps": 0,
                    "average": 0.0,
                    "patience": 0,
                    "cooldown": 0.0,
                    "dtype": "float32",
                    "stop_metric": metric,
                    **training,
                },
            }
        )

    def measured(self) -> float:
        """Perplexity of the weights in the directory, as `mtcli score` finds it."""
        options = (
            "--src",
            self.valid[0],
            "--tgt",
            self.valid[1],
            "--device",
            "cpu",
            "--dtype",
            "float32",
            "--format",
            "tsv",
        )
        rows = [line.split("\t") for line in succeed("score", "-m", self.model, *options).splitlines()]
        return exp(-sum(float(row[1]) for row in rows) / sum(int(row[2]) for row in rows))

    def check(self, step: int) -> None:
        """Weights, provenance and card are all of this step, and what they say is so."""
        told = json.loads((self.model / "provenance.json").read_text())
        weights = load_file(self.model / "model.safetensors")
        assert told["weights"] == {"step": step, "blake2b": tensors_checksum(weights)}
        assert told["scores"]["step"] == step
        assert told["scores"]["perplexity"] == pytest.approx(self.measured(), rel=1e-3)
        assert f"(step {step}, `tok:13a`)" in (self.model / "README.md").read_text()


@pytest.mark.parametrize("metrics", [("loss", "bleu", "loss"), ("bleu", "loss", "bleu")])
def test_another_measure_of_the_best_publishes_other_weights(
    metrics: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, steps = Run(tmp_path, monkeypatch), 0
    for metric in metrics:
        steps += 2
        train(run.config(metric, steps), run.model, quiet=True)
        run.check(1 if metric == "bleu" else steps)


def test_a_finished_run_is_judged_anew_without_another_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path, monkeypatch)
    for metric in ("loss", "bleu", "loss"):
        train(run.config(metric, 3), run.model, quiet=True)
        run.check(1 if metric == "bleu" else 3)


def test_weights_published_after_the_last_checkpoint_do_not_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run is killed behind a validation and before it saves; from the checkpoint before that it goes on."""
    run = Run(tmp_path, monkeypatch)
    train(run.config("loss", 2), run.model, quiet=True)
    with monkeypatch.context() as killed:
        killed.setattr(Trainer, "save", _die)
        with pytest.raises(RuntimeError):
            train(run.config("loss", 3), run.model, quiet=True)
    run.check(3)
    train(run.config("loss", 2), run.model, quiet=True)
    run.check(2)
    train(run.config("bleu", 4), run.model, quiet=True)
    run.check(1)


def _die(trainer: Trainer) -> None:
    raise RuntimeError("killed")


def test_another_tokenizer_leaves_the_model_until_there_is_a_score_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, monkeypatch)
    train(run.config("bleu", 2), run.model, quiet=True)
    train(run.config("bleu", 2, bleu_tokenizer="char"), run.model, quiet=True)
    run.check(1)
    train(run.config("bleu", 3, bleu_tokenizer="char"), run.model, quiet=True)
    told = json.loads((run.model / "provenance.json").read_text())
    assert (told["scores"]["step"], told["scores"]["bleu_tokenizer"]) == (3, "char")


CHINESE = str.maketrans(LETTERS, "零一二三四五六七八九", " ")


def test_the_targets_script_chooses_the_tokenizer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(tmp_path, monkeypatch)
    for _, path in (run.train, run.valid):
        path.write_text(path.read_text().translate(CHINESE))
    train(run.config("bleu", 1), run.model)
    assert "BLEU with the tokenizer zh, which suits the target's script" in capsys.readouterr().err
    told = json.loads((run.model / "provenance.json").read_text())["scores"]
    logged = [json.loads(line) for line in (run.model / "log.jsonl").read_text().splitlines()]
    [validated] = [record for record in logged if record["kind"] == "valid"]
    for record in (told, validated):
        assert (record["bleu_tokenizer"], record["signature"]) == ("zh", "tok:zh")


def test_weights_of_no_measure_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path, monkeypatch)
    train(run.config("loss", 6, keep=1), run.model, quiet=True)
    kept = sorted(path.name for path in (run.model / "checkpoints").glob("validated-*"))
    assert kept == ["validated-00000001.safetensors", "validated-00000006.safetensors"]
    first, last = (load_file(run.model / "checkpoints" / name) for name in kept)
    assert not all(torch.equal(first[name], last[name]) for name in first)
