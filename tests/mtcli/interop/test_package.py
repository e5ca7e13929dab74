"""A model handed on: the same numbers in less room, and nothing of the machine that it was trained on."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from support.marian import make_marian
from support.marks import marked
from support.tiny import untrained_model, write_untrained

from mtcli.errors import CheckpointError, ConfigError
from mtcli.interop import package as packaging
from mtcli.interop.directories import atomic_directory
from mtcli.interop.fetching import find
from mtcli.interop.importing import read_marian, write_imported
from mtcli.interop.package import without_directories
from mtcli.interop.reference import CLOSE, Ours, largest_difference, stored
from mtcli.model_directory.card import write_card
from mtcli.model_directory.int8_mark import load_int8_mark
from mtcli.model_directory.loading import load_model
from mtcli.model_directory.weights import parameters_of, read_tensors, weights_bytes

CPU = torch.device("cpu")
PROVENANCE: dict[str, Any] = {
    "command": ["mtcli", "train", "--src", "/home/ada/europarl/train.en", "--set=data.tgt=/home/ada/europarl/train.de"],
    "versions": {"mtcli": "0.1.0"},
    "data": {
        "files": {
            "train": {
                "/home/ada/europarl/train.en": "11",
                "/home/ada/news/train.en": "22",
                "/home/ada/x/train.de": "33",
            },
            "valid": {"/home/ada/dev.en": "44"},
        },
        "train": {"pairs": 1000},
        "valid": {"pairs": 10},
        "vocabulary": {"source": 300, "target": 300},
    },
    "training": {
        "parameters": 1234,
        "steps": 5,
        "target_tokens": 600,
        "minutes": 1.5,
        "device": "cpu (2 threads), float32",
    },
    "scores": {"step": 5, "nll": 2.0, "perplexity": 7.4, "bleu": 12.3},
    "settings": {
        "data": {"src": ["/home/ada/europarl/train.en", "/home/ada/news/train.en"], "vocab_size": 300},
        "training": {"fine_tune": "/home/ada/models/base", "seed": 1},
        "card": {"license": "see https://example.org/terms", "src_language": "English", "tgt_language": "German"},
    },
}
TEST = {
    "set": "test.de",
    "lines": 100,
    "beam": 5,
    "bleu": 31.04,
    "chrf": 55.5,
    "ter": 50.0,
    "signatures": {"bleu": "BLEU-SIGNATURE", "chrf": "CHRF-SIGNATURE", "ter": "TER-SIGNATURE"},
}


def package(model: Path, out: Path, dtype: torch.dtype, tests: Sequence[dict[str, Any]] = ()) -> None:
    with atomic_directory(out) as directory:
        packaging.package(model, directory, dtype, tests)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = write_untrained(tmp_path / "model")
    write_card(directory, PROVENANCE)
    (directory / "cache").mkdir()
    (directory / "log.jsonl").write_text("{}\n")
    return directory


def test_half_precision_is_half_the_size_and_nearest(model: Path, tmp_path: Path) -> None:
    package(model, tmp_path / "out", torch.float16)
    stored = read_tensors(tmp_path / "out" / "model.safetensors", CPU)
    loaded = dict(load_model(tmp_path / "out", CPU).network.named_parameters())
    for name, weight in parameters_of(untrained_model().network).items():
        assert stored[name].dtype == torch.float16
        assert loaded[name].dtype == torch.float32
        assert torch.equal(loaded[name], weight.half().float())
    sizes = [(directory / "model.safetensors").stat().st_size for directory in (model, tmp_path / "out")]
    assert 0.4 < sizes[1] / sizes[0] < 0.7


def test_in_float32_the_weights_are_the_same_bytes(model: Path, tmp_path: Path) -> None:
    package(model, tmp_path / "out", torch.float32)
    for name in ("model.safetensors", "config.json", "tokenizer.model"):
        assert (tmp_path / "out" / name).read_bytes() == (model / name).read_bytes()


def test_only_the_model_is_handed_on(model: Path, tmp_path: Path) -> None:
    package(model, tmp_path / "out", torch.float32)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "provenance.json",
        "tokenizer.model",
    ]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_that_int8_was_checked_is_handed_on(dtype: torch.dtype, model: Path, tmp_path: Path) -> None:
    before = load_int8_mark(marked(model))
    package(model, tmp_path / "out", dtype)
    after = load_int8_mark(tmp_path / "out")
    assert before is not None
    assert after is not None
    assert (after.bleu, after.text) == (before.bleu, before.text)
    assert (after.weights == before.weights) is (dtype == torch.float32)


def test_no_directory_is_named(model: Path, tmp_path: Path) -> None:
    package(model, tmp_path / "out", torch.float32)
    for name in ("README.md", "provenance.json"):
        assert "/home" not in (tmp_path / "out" / name).read_text(encoding="utf-8")


def test_names_keep_what_tells_them_apart() -> None:
    shortened = without_directories(PROVENANCE)
    assert shortened["data"]["files"] == {
        "train": {"europarl/train.en": "11", "news/train.en": "22", "train.de": "33"},
        "valid": {"dev.en": "44"},
    }
    assert shortened["command"] == ["mtcli", "train", "--src", "europarl/train.en", "--set=data.tgt=train.de"]
    assert shortened["settings"]["data"] == {"src": ["europarl/train.en", "news/train.en"], "vocab_size": 300}
    assert shortened["settings"]["training"] == {"fine_tune": "base", "seed": 1}
    assert shortened["settings"]["card"] == PROVENANCE["settings"]["card"]


def test_scores_go_into_the_card(model: Path, tmp_path: Path) -> None:
    package(model, tmp_path / "out", torch.float16, [TEST])
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# English to German: a translation model made by mtcli\n")
    assert "| test.de | 100 | 5 | 31.0 | 55.5 |" in card
    assert "BLEU-SIGNATURE" in card
    assert "**License**: see https://example.org/terms" in card
    recorded = json.loads((tmp_path / "out" / "provenance.json").read_text(encoding="utf-8"))
    assert recorded["tests"] == [TEST]
    package(tmp_path / "out", tmp_path / "again", torch.float16)
    assert (tmp_path / "again" / "README.md").read_text(encoding="utf-8") == card


def test_a_model_without_a_history_is_handed_on_without(tmp_path: Path) -> None:
    package(write_untrained(tmp_path / "model"), tmp_path / "out", torch.float32)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.model",
    ]


def test_a_weight_too_large_for_half_precision_is_named(model: Path, tmp_path: Path) -> None:
    network = untrained_model().network
    weights = {name: tensor.clone() for name, tensor in parameters_of(network).items()}
    spoilt = sorted(weights)[-1]
    weights[spoilt].view(-1)[0] = 1e6
    (model / "model.safetensors").write_bytes(weights_bytes(weights))
    with pytest.raises(CheckpointError, match=f"{spoilt} holds a weight that float16 cannot hold"):
        package(model, tmp_path / "out", torch.float16)
    assert not (tmp_path / "out").exists()


def test_a_history_of_other_facts_is_a_sentence(model: Path, tmp_path: Path) -> None:
    (model / "provenance.json").write_text('{"data": 3}')
    with pytest.raises(CheckpointError, match="its facts are not those mtcli train writes"):
        package(model, tmp_path / "out", torch.float32)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_an_imported_model_is_handed_on(tmp_path: Path, dtype: torch.dtype) -> None:
    """With what it is to be compared with, where its weights stay what they were."""
    pytest.importorskip("transformers")
    original = make_marian(tmp_path / "secret" / "opus")
    write_imported(read_marian(find(str(original))), tmp_path / "imported")
    package(tmp_path / "imported", tmp_path / "out", dtype)
    model = load_model(tmp_path / "out", CPU)
    assert "secret" not in (tmp_path / "out" / "provenance.json").read_text(encoding="utf-8")
    if dtype == torch.float32:
        reference = stored(tmp_path / "out", model.architecture.checksums)
        assert largest_difference(reference, Ours(model)) < CLOSE
    else:
        with pytest.raises(CheckpointError, match=r"holds no reference\.json"):
            stored(tmp_path / "out", model.architecture.checksums)


def test_scores_need_a_card(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no card to put scores into"):
        package(write_untrained(tmp_path / "model"), tmp_path / "out", torch.float32, [TEST])
    assert not (tmp_path / "out").exists()


def test_a_card_of_other_settings_is_a_sentence(model: Path, tmp_path: Path) -> None:
    spoilt = {**PROVENANCE, "settings": {**PROVENANCE["settings"], "card": {"colour": "blue"}}}
    (model / "provenance.json").write_text(json.dumps(spoilt))
    with pytest.raises(CheckpointError, match="its facts are not those mtcli train writes"):
        package(model, tmp_path / "out", torch.float32)
    assert not (tmp_path / "out").exists()
