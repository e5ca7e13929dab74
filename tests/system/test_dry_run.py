"""A dry run says what the run would take, and trains nothing."""

import re
from pathlib import Path

from support.command import mtcli
from support.letters import letter_pairs, write_sides


def test_it_tells_size_memory_batches_and_time(tmp_path: Path) -> None:
    src, tgt = write_sides(letter_pairs("copy", 500, seed=1), tmp_path / "train")
    sizes = ("encoder_layers=1", "decoder_layers=1", "d_model=16", "ffn_dim=16", "heads=2")
    settings = [f"model.{size}" for size in sizes] + ["data.vocab_size=280", "training.batch_tokens=200"]
    settings.append("training.accumulate=2")
    words = [word for setting in settings for word in ("--set", setting)]
    command = ("train", "--src", src, "--tgt", tgt, "-o", tmp_path / "run", *words)
    finished = mtcli(*command, "--max-epochs", "3", "--dry-run")
    said = finished.stderr.decode()
    assert finished.returncode == 0, said
    found = re.search(r"An epoch: ([\d,]+) batches, ([\d,]+) steps, ([\d,]+) target tokens", said)
    assert found is not None, said
    batches, steps, tokens = (int(number.replace(",", "")) for number in found.groups())
    assert steps == -(-batches // 2)
    trained = re.search(r"Training: 450 pairs, [\d,]+ source and ([\d,]+) target tokens", said)
    assert trained is not None and int(trained[1].replace(",", "")) == tokens
    assert re.search(r"Parameters: [\d,]+\.", said)
    assert re.search(r"Memory: \d+\.\d\d GiB for weights.*; \d+\.\d\d GiB at most", said)
    assert re.search(r"Speed: [\d,]+ target tokens/s", said)
    assert f"To the limit: {3 * steps:,} steps" in said
    assert "Translate with it" not in said
    assert not list((tmp_path / "run" / "checkpoints").iterdir())
    assert not (tmp_path / "run" / "model.safetensors").exists()
    assert not (tmp_path / "run" / "log.jsonl").exists()
    real = mtcli(*command, "--max-steps", "1")
    assert real.returncode == 0
    assert "Tokenising" not in real.stderr.decode(), "the prepared corpus was not used again"


def test_without_a_limit_it_needs_none(tmp_path: Path) -> None:
    src, tgt = write_sides(letter_pairs("copy", 300, seed=1), tmp_path / "train")
    sizes = ("encoder_layers=1", "decoder_layers=1", "d_model=16", "ffn_dim=16", "heads=2")
    words = [word for size in sizes for word in ("--set", f"model.{size}")] + ["--set", "data.vocab_size=280"]
    finished = mtcli("train", "--src", src, "--tgt", tgt, "-o", tmp_path / "run", "--dry-run", *words)
    assert finished.returncode == 0, finished.stderr.decode()
    assert "To the limit" not in finished.stderr.decode()
