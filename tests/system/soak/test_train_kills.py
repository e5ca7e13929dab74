"""Kill a training run again and again, at random moments: the weights at its end are always the same."""

import os
import random
import shutil
import time
from pathlib import Path

import pytest
from support.command import mtcli
from support.killing import killed_after
from support.letters import letter_pairs, write_sides
from support.patience import PATIENCE

STEPS = 120
_SIZES = ("encoder_layers=1", "decoder_layers=1", "d_model=32", "ffn_dim=64", "heads=2", "dropout=0.2")
_SETTINGS = ("data.vocab_size=280", "data.sampling=0.2", "training.batch_tokens=400", "training.accumulate=2")


def train(corpus: Path, run: Path) -> list[str]:
    files = [
        word
        for option, name in (("--src", "train.src"), ("--tgt", "train.tgt"))
        for word in (option, str(corpus / name))
    ]
    settings = [*(f"model.{size}" for size in _SIZES), *_SETTINGS]
    limits = ["--max-steps", str(STEPS), "--save-every", "15", "--valid-every", "40", "--device", "cpu"]
    return ["train", *files, "-o", str(run), *limits, *(word for each in settings for word in ("--set", each))]


def outcome(run: Path) -> dict[str, bytes]:
    """All weights and moments, and the log but for its times."""
    files = [run / "model.safetensors", *sorted((run / "checkpoints").rglob("*.safetensors"))]
    return {str(file.relative_to(run)): file.read_bytes() for file in files}


def test_random_kills_change_no_weight(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kills, seed = int(os.environ["KILLS"]), int(os.environ.get("SEED", time.time_ns() % 10_000))
    write_sides(letter_pairs("copy", 1500, seed=1), tmp_path / "train")
    expected, run = tmp_path / "expected", tmp_path / "run"
    began = time.monotonic()
    finished = mtcli(*train(tmp_path, expected))
    seconds = time.monotonic() - began
    assert finished.returncode == 0, finished.stderr.decode()

    chance, done, runs, in_training = random.Random(seed), 0, 0, 0
    while True:
        if killed_after(train(tmp_path, run), chance.uniform(0, 1.2 * seconds) if done < kills else PATIENCE):
            done += 1
            in_training += any(run.glob("checkpoints/step-????????"))
            continue
        assert outcome(run) == outcome(expected), f"seed {seed}: other weights after {done} kills"
        assert not list(run.rglob("*.partial"))
        shutil.rmtree(run)
        runs += 1
        if done >= kills:
            break
    with capsys.disabled():
        print(
            f"\n{done} kills of {runs} runs of {STEPS} steps, {in_training} of them after the first checkpoint: "
            f"the weights were those of a run that was not killed, to the bit (seed {seed})."
        )
