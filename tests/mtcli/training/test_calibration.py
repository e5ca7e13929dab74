"""The end of a training: what is usual is measured once, for checks and repairs, and goes where the model goes."""

import json
from pathlib import Path

import pytest
import torch
from support.letters import letter_pairs, write_sides

from mtcli.checking.calibration import CALIBRATION_FILE, read_calibration
from mtcli.checking.lengths import LengthStatistics
from mtcli.config import load_config
from mtcli.decoding.repair.settings import faults_of
from mtcli.interop.package import package
from mtcli.model_directory.card import PROVENANCE
from mtcli.model_directory.model import StoredModel
from mtcli.training.run import train

pytestmark = pytest.mark.usefixtures("one_thread")
SIZES = {"encoder_layers": 1, "decoder_layers": 1, "d_model": 16, "ffn_dim": 16, "heads": 2, "dropout": 0.0}


def run(directory: Path, valid: int, steps: int = 2) -> Path:
    """A run of a few steps with so many validation pairs."""
    sides = write_sides(letter_pairs("copy", 200, seed=1), directory / "train")
    valid_sides = write_sides(letter_pairs("copy", valid, seed=2), directory / "valid")
    data = {"src": [str(sides[0])], "tgt": [str(sides[1])], "vocab_size": 290}
    data |= {"valid_src": [str(valid_sides[0])], "valid_tgt": [str(valid_sides[1])]}
    training = {"max_steps": steps, "batch_tokens": 400, "device": "cpu", "dtype": "float32", "int8_lines": 0}
    train(load_config(options={"model": SIZES, "data": data, "training": training}), directory / "run")
    return directory / "run"


def test_a_model_knows_what_is_usual_and_hands_it_on(tmp_path: Path) -> None:
    model = run(tmp_path, 220)
    found = read_calibration(model)
    assert found.lengths == LengthStatistics(0.0, 0.05)  # of copies
    assert found.min_mean_log_prob is not None and found.min_mean_log_prob < -1
    assert json.loads((model / PROVENANCE).read_text())["calibrated"] == {"step": 2, "lines": 220}
    (tmp_path / "out").mkdir()
    package(model, tmp_path / "out", torch.float32)
    assert (tmp_path / "out" / CALIBRATION_FILE).read_bytes() == (model / CALIBRATION_FILE).read_bytes()


def test_its_checks_go_by_it(tmp_path: Path) -> None:
    model = run(tmp_path, 120)
    assert read_calibration(model).min_mean_log_prob is None  # too few to tell
    faults = faults_of(StoredModel(model))
    long = "abcdefghijklmno"
    assert [one.check for one in faults.of(long, f"{long} pqrstuvw")] == ["too-long"]
    (model / CALIBRATION_FILE).unlink()
    assert faults_of(StoredModel(model)).of(long, f"{long} pqrstuvw") == []


def test_it_is_measured_once_for_the_same_weights(tmp_path: Path) -> None:
    model = run(tmp_path, 120)
    (model / CALIBRATION_FILE).write_text("{}")
    run(tmp_path, 120)
    assert (model / CALIBRATION_FILE).read_text() == "{}"
    run(tmp_path, 120, steps=4)
    assert read_calibration(model).lengths.spread == 0.05


def test_a_few_pairs_tell_nothing(tmp_path: Path) -> None:
    assert not (run(tmp_path, 99) / CALIBRATION_FILE).exists()
