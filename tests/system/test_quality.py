"""How good models become in two minutes of training on real text: as good as they did when this was written.

The bands are wider than what other machines and versions differ by, and narrower than what a mistake in the loss, the
schedule, dropout, the average of the weights or the tokenizer costs.
"""

import json
from pathlib import Path

import pytest
from support.command import succeed
from support.corpora import first_lines

from mtcli.model_directory.box import IN_THE_BOX

pytestmark = pytest.mark.slow


def slices(directory: Path, kind: str, train: int) -> dict[str, tuple[Path, Path]]:
    """The first lines of Multi30k's sets, English and German; `kind` stands before the language in their names."""
    sets = {"train": ("train", train), "valid": ("val", 200), "test": ("test_2016_flickr", 300)}
    sides = {
        name: [
            first_lines("multi30k", f"{stem}{kind}.{language}.xz", count, directory / f"{name}.{language}")
            for language in ("en", "de")
        ]
        for name, (stem, count) in sets.items()
    }
    return {name: (src, tgt) for name, (src, tgt) in sides.items()}


def train(files: dict[str, tuple[Path, Path]], out: Path, steps: int, *options: str | Path) -> Path:
    words = ["train", "-o", out, "--max-steps", str(steps), "--device", "cpu", "--quiet", *options]
    for name, prefix in (("train", ""), ("valid", "valid-")):
        src, tgt = files[name]
        words += [f"--{prefix}src", src, f"--{prefix}tgt", tgt]
    succeed(*words, "--set", "training.batch_tokens=2048")
    return out


def bleu(model: Path, files: dict[str, tuple[Path, Path]], *options: str) -> float:
    src, ref = files["test"]
    report = json.loads(succeed("evaluate", "-m", model, "--src", src, "--ref", ref, "--json", *options))
    return float(report["bleu"])


def test_from_nothing(tmp_path: Path) -> None:
    files = slices(tmp_path, ".lc.norm.tok", 29_000)
    settings = (
        *("model.norm=pre", "model.dropout=0.1", "data.vocab_size=2000"),
        *("training.learning_rate=4e-3", "training.warmup_steps=60", "training.cooldown=0.5"),
    )
    assignments = [word for setting in settings for word in ("--set", setting)]
    model = train(files, tmp_path / "model", 300, "--preset", "tiny", *assignments)
    assert 9.5 < bleu(model, files, "--tokenize", "none") < 14


def test_the_model_in_the_box_learns_captions(tmp_path: Path) -> None:
    files = slices(tmp_path, "", 8_000)
    before = bleu(IN_THE_BOX, files)
    settings = ("--set", "training.learning_rate=1e-3", "--set", "training.warmup_steps=20")
    model = train(files, tmp_path / "model", 120, "--fine-tune", IN_THE_BOX, *settings)
    assert 13 < before < 18
    assert 20.5 < bleu(model, files) < 25
