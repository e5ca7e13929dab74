"""The weights that may still be called the best."""

import json
import os
from pathlib import Path

import pytest

from mtcli.training.kept_weights import KeptWeights


def test_weights_bear_their_step(tmp_path: Path) -> None:
    kept = KeptWeights(tmp_path)
    for step in (5, 120):
        kept.write(step, str(step).encode())
    assert kept.steps() == {5, 120}
    assert kept.path(120).read_bytes() == b"120"


def test_what_a_checkpoint_names_stays(tmp_path: Path) -> None:
    kept = KeptWeights(tmp_path)
    for step in range(1, 6):
        kept.write(step, b"")
    for step, content in ((10, json.dumps({"kept": [1, 2]})), (20, "damaged"), (30, json.dumps({"step": 30}))):
        (tmp_path / f"step-{step:08d}").mkdir()
        (tmp_path / f"step-{step:08d}" / "state.json").write_text(content)
    kept.tidy([4])
    assert kept.steps() == {1, 2, 4}


@pytest.mark.parametrize(("newer_by", "steps"), [(-1, {7}), (0, {7}), (1, set())])
def test_what_an_earlier_version_kept_is_taken_in_where_its_step_is_known(
    tmp_path: Path, newer_by: int, steps: set[int]
) -> None:
    checkpoint = tmp_path / "step-00000010"
    checkpoint.mkdir()
    state, weights = checkpoint / "state.json", tmp_path / "best.safetensors"
    state.write_text("{}")
    weights.write_bytes(b"weights")
    os.utime(state, ns=(10**18, 10**18))
    os.utime(weights, ns=(10**18 + newer_by, 10**18 + newer_by))
    kept = KeptWeights(tmp_path)
    kept.adopt(checkpoint, 7)
    assert kept.steps() == steps
    assert not weights.exists()
