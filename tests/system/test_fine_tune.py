"""A model goes on learning on another corpus, with its own network and vocabulary; what does not fit is explained."""

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file
from support.command import mtcli, succeed
from support.letters import letter_pairs, write_sides
from support.slow import slow

SIZES = {"encoder_layers": 1, "decoder_layers": 1, "d_model": 16, "ffn_dim": 16, "heads": 2}


def corpus(task: str, stem: Path, seed: int) -> list[str]:
    src, tgt = write_sides(letter_pairs(task, 300, seed=seed), stem)
    return ["--src", str(src), "--tgt", str(tgt)]


@pytest.fixture(scope="module", params=[True, *slow(False)], ids=["one vocabulary", "two vocabularies"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("model")
    settings = {f"model.{name}": value for name, value in SIZES.items()} | {"data.vocab_size": 280}
    if not request.param:
        settings |= {"data.joint": "false", "model.tied_embeddings": "target"}
    words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    succeed("train", *corpus("copy", directory / "train", 1), "-o", directory / "model", "--max-steps", "5", *words)
    return directory / "model"


def test_it_begins_with_the_models_weights_and_keeps_its_vocabulary(model: Path, tmp_path: Path) -> None:
    arguments = ("train", *corpus("sort", tmp_path / "new", 2), "-o", tmp_path / "run", "--fine-tune", model)
    still = ("--set", "training.average=0", "--set", "training.learning_rate=1e-12", "--set", "model.dropout=0.4")
    succeed(*arguments, *still, "--max-steps", "1")
    before, after = load_file(model / "model.safetensors"), load_file(tmp_path / "run" / "model.safetensors")
    assert before.keys() == after.keys()
    assert all((after[name] - before[name]).abs().max() < 1e-6 for name in before)
    for name in ("tokenizer.model", "source.model", "target.model"):
        assert (model / name).exists() == (tmp_path / "run" / name).exists()
        if (model / name).exists():
            assert (model / name).read_bytes() == (tmp_path / "run" / name).read_bytes()
    assert '"dropout": 0.4' in (tmp_path / "run" / "config.json").read_text()
    again = mtcli(*arguments, *still, "--max-steps", "3")
    assert "Going on from step 1." in again.stderr.decode()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--set", "model.d_model=32"), "has model.d_model = 16, and the configuration says 32"),
        (("--preset", "tiny"), "--preset tiny describes a network"),
        (("--set", "data.vocab_size=500"), "keeps the vocabulary of the model"),
        (("--set", "data.joint=true"), "keeps the vocabulary of the model"),
    ],
)
def test_what_does_not_fit_is_explained(model: Path, tmp_path: Path, options: tuple[str, str], sentence: str) -> None:
    arguments = ("train", *corpus("sort", tmp_path / "new", 2), "-o", tmp_path / "run", "--fine-tune", model)
    finished = mtcli(*arguments, "--max-steps", "1", *options)
    assert finished.returncode == 1
    assert sentence in finished.stderr.decode()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("damage", ["missing", "cut short"])
def test_damaged_weights_are_found_before_the_corpus_is_read(model: Path, tmp_path: Path, damage: str) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(model, broken, ignore=shutil.ignore_patterns("cache", "checkpoints"))
    weights = broken / "model.safetensors"
    weights.unlink() if damage == "missing" else weights.write_bytes(weights.read_bytes()[:200])
    arguments = ("train", *corpus("sort", tmp_path / "new", 2), "-o", tmp_path / "run", "--max-steps", "1")
    finished = mtcli(*arguments, "--fine-tune", broken)
    assert finished.returncode == 1
    assert "model.safetensors" in finished.stderr.decode()
    assert not (tmp_path / "run").exists()


def test_a_directory_that_is_no_model_is_refused(tmp_path: Path) -> None:
    arguments = ("train", *corpus("sort", tmp_path / "new", 2), "-o", tmp_path / "run", "--max-steps", "1")
    finished = mtcli(*arguments, "--fine-tune", tmp_path / "nothing")
    assert finished.returncode == 1
    assert "nothing" in finished.stderr.decode()
    assert "Traceback" not in finished.stderr.decode()
