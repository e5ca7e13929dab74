"""int8.json: what it says, of which weights, and what happens where it is not what was written."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from support.marks import marked
from support.tiny import untrained_model, write_untrained

from mtcli.errors import CheckpointError
from mtcli.model_directory.facts import facts_of
from mtcli.model_directory.int8_mark import INT8_MARK, load_int8_mark
from mtcli.model_directory.integrity import content_checksum
from mtcli.model_directory.model import StoredModel
from mtcli.model_directory.weights import parameters_of, weights_bytes


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return marked(write_untrained(tmp_path / "model"))


def rewrite(model: Path, *, sealed: bool = True, **changes: Any) -> None:
    """Change what int8.json says; None takes a key away."""
    content = json.loads((model / INT8_MARK).read_text())
    del content["checksum"]
    changed = {key: value for key, value in {**content, **changes}.items() if value is not None}
    checksum = content_checksum(changed if sealed else content)
    (model / INT8_MARK).write_text(json.dumps({**changed, "checksum": checksum}))


def test_a_mark_is_read_as_it_was_written(model: Path) -> None:
    mark = load_int8_mark(model)
    assert mark is not None
    assert mark.sentence == "BLEU 30.00 -> 29.90, chrF 55.00 -> 55.10 on 2,000 lines of dev.de, beam 4"
    assert mark.bleu.loss == pytest.approx(0.1)
    assert StoredModel(model).int8_mark == mark


def test_without_a_mark_nobody_says_so(tmp_path: Path) -> None:
    directory = write_untrained(tmp_path / "model")
    assert load_int8_mark(directory) is None
    assert StoredModel(directory).int8_mark is None
    assert untrained_model().int8_mark is None


def test_a_mark_is_of_its_weights_alone(model: Path) -> None:
    before = (model / "model.safetensors").read_bytes()
    others = {name: tensor + 1 for name, tensor in parameters_of(untrained_model().network).items()}
    (model / "model.safetensors").write_bytes(weights_bytes(others))
    assert load_int8_mark(model) is None
    (model / "model.safetensors").write_bytes(before)
    assert load_int8_mark(model) is not None


def test_a_mark_of_half_precision_is_not_one_of_float32(model: Path) -> None:
    halves = {name: tensor.to(torch.float16) for name, tensor in parameters_of(untrained_model().network).items()}
    (model / "model.safetensors").write_bytes(weights_bytes(halves))
    assert load_int8_mark(model) is None


def test_what_a_newer_mtcli_says_is_left_alone(model: Path) -> None:
    rewrite(model, format_version=2, bleu=None, certainty=0.99)
    assert load_int8_mark(model) is None


@pytest.mark.parametrize(
    ("changes", "sealed", "message"),
    [
        ({"lines": 3000}, False, "damaged or edited since it was written"),
        ({"format_version": 9}, False, "damaged or edited since it was written"),
        ({"bleu": {"float32": 30.0}}, True, r"is damaged: bleu\.int8"),
        ({"lines": None}, True, "is damaged: lines"),
        ({"colour": "red"}, True, "is damaged: colour"),
    ],
)
def test_damage_is_a_sentence(changes: dict[str, Any], sealed: bool, message: str, model: Path) -> None:
    rewrite(model, sealed=sealed, **changes)
    with pytest.raises(CheckpointError, match=message) as raised:
        load_int8_mark(model)
    assert "mtcli quantize DIR" in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"{}", b'{"checksum": 1}'])
def test_so_is_what_was_never_a_mark(content: bytes, model: Path) -> None:
    (model / INT8_MARK).write_bytes(content)
    with pytest.raises(CheckpointError, match=INT8_MARK):
        load_int8_mark(model)


def test_a_mark_changes_nothing_else_that_a_model_says(model: Path) -> None:
    facts = facts_of(model)
    (model / INT8_MARK).unlink()
    assert facts_of(model) == facts
