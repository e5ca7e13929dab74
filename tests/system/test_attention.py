"""`--attention` as its users meet it: the same translations whatever runs, and a word on what runs and why."""

import json
from pathlib import Path

import pytest
from support.command import mtcli, succeed
from support.slow import slow

LINES = b"c a d\n\na e i b f e\nc e\n"


@pytest.mark.parametrize("beam", ["4", *slow("1")])
def test_every_form_translates_alike(reverse_model: Path, beam: str) -> None:
    call = ("translate", "-m", reverse_model, "--device", "cpu", "--dtype", "float32", "-b", beam, "--format", "tsv")
    expected = succeed(*call, stdin=LINES)
    assert expected.split("\n")[0].endswith("d a c")
    for attention in ("padded", "sdpa", "reference"):
        found = succeed(*call, "--attention", attention, stdin=LINES)
        for ours, theirs in zip(found.splitlines(), expected.splitlines(), strict=True):
            *ids, score, text = ours.split("\t")
            *expected_ids, expected_score, expected_text = theirs.split("\t")
            assert (ids, text) == (expected_ids, expected_text)
            assert float(score) == pytest.approx(float(expected_score), abs=1e-5)


def test_info_and_statistics_say_what_runs_and_why(reverse_model: Path, tmp_path: Path) -> None:
    facts = json.loads(succeed("info", reverse_model, "--device", "cpu", "--engine", "torch", "--json"))
    assert facts["attention"] == "padded (the device is a CPU)"
    assert facts["runs here on"].startswith("cpu (")
    succeed("translate", "-m", reverse_model, "--device", "cpu", "--attention", "sdpa", "--stats", tmp_path / "s.json")
    stats = json.loads((tmp_path / "s.json").read_text())
    assert stats["implementations"]["cross_attention_decode"] == {"impl": "sdpa", "reason": "it was asked for"}
    assert stats["implementations"]["beam_step"] == {"impl": "padded", "reason": "the device is a CPU"}


def test_training_says_what_runs_and_goes_on_with_another_form(reverse_model: Path, tmp_path: Path) -> None:
    data = reverse_model.parent
    sides = ["--src", data / "train.src", "--tgt", data / "train.tgt"]
    small = ["--set", "model.d_model=16", "--set", "model.heads=2", "--set", "model.ffn_dim=16", "--device", "cpu"]
    small += ["--set", "data.vocab_size=290", "--set", "training.batch_tokens=256", "--set", "data.valid_size=8"]
    run = ["train", *sides, "-o", tmp_path / "run", *small]
    first = mtcli(*run, "--max-steps", "2", "--attention", "sdpa")
    assert first.returncode == 0, first.stderr.decode()
    assert b"masked_attention" in first.stderr
    assert b"sdpa (it was asked for)" in first.stderr
    second = mtcli(*run, "--max-steps", "4", "--attention", "reference")
    assert second.returncode == 0, second.stderr.decode()
    assert b"Attention: reference (it was asked for)." in second.stderr
    assert json.loads((tmp_path / "run" / "provenance.json").read_text())["training"]["steps"] == 4
