"""What a training run does beyond learning: variants, limits, early stopping, refusals."""

import itertools
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from support.command import mtcli, succeed
from support.letters import letter_pairs, write_sides
from support.slow import slow

from mtcli import devices
from mtcli.config import Config, load_config
from mtcli.errors import ConfigError, TrainingError
from mtcli.training.run import train

SMALL = {"encoder_layers": 1, "decoder_layers": 1, "d_model": 16, "ffn_dim": 16, "heads": 2, "max_length": 32}


def config(directory: Path, training: dict[str, object], **sections: dict[str, object]) -> Config:
    src, tgt = write_sides(letter_pairs("copy", 400, seed=3), directory / "train")
    data = {"src": [str(src)], "tgt": [str(tgt)], "vocab_size": 280, **sections.get("data", {})}
    model = {**SMALL, **sections.get("model", {})}
    return load_config(
        options={"model": model, "data": data, "training": {"batch_tokens": 200, "device": "cpu", **training}}
    )


def log(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


VARIANTS: dict[str, dict[str, dict[str, object]]] = {
    "separate vocabularies": {"data": {"joint": False}, "model": {"tied_embeddings": "target"}},
    "bpe": {"data": {"tokenizer_type": "bpe"}},
    "pre-norm, silu, learned positions": {
        "model": {"norm": "pre", "activation": "silu", "positions": "learned", "tied_embeddings": "none"}
    },
    "deep encoder, all dropouts": {
        "model": {"encoder_layers": 3, "dropout": 0.1, "attention_dropout": 0.1, "activation_dropout": 0.1}
    },
}


@pytest.mark.parametrize("name", ["separate vocabularies", *slow(*[*VARIANTS][1:])])
def test_every_variant_trains_and_translates(name: str, tmp_path: Path) -> None:
    train(config(tmp_path, {"max_steps": 3}, **VARIANTS[name]), tmp_path / "run", quiet=True)
    assert succeed("translate", "-m", tmp_path / "run", stdin=b"a b\n\nc\n").count("\n") == 3
    assert "held_out" in (tmp_path / "run" / "provenance.json").read_text()


def test_bfloat16_trains_and_translates(tmp_path: Path) -> None:
    train(config(tmp_path, {"max_steps": 5, "dtype": "bfloat16"}), tmp_path / "run", quiet=True)
    out = succeed("translate", "-m", tmp_path / "run", "--dtype", "bfloat16", stdin=b"a b\nc d e\n")
    assert out.count("\n") == 2


@pytest.mark.parametrize(
    ("limit", "steps"), [({"max_steps": 7}, 7), ({"max_steps": 5, "max_epochs": 100}, 5), ({"max_epochs": 1}, None)]
)
def test_the_nearest_limit_ends_the_run(limit: dict[str, object], steps: int | None, tmp_path: Path) -> None:
    train(config(tmp_path, limit), tmp_path / "run", quiet=True)
    facts = json.loads((tmp_path / "run" / "provenance.json").read_text())
    assert facts["training"]["steps"] == steps or facts["training"]["epochs"] == 1.0
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_minutes_end_the_run_and_the_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that goes on by a twentieth of a second whenever it is looked at: a step takes one."""
    looks = itertools.count()
    monkeypatch.setattr("mtcli.training.loop.time", SimpleNamespace(monotonic=lambda: next(looks) / 20))
    train(config(tmp_path, {"max_minutes": 0.05, "log_every": 5, "cooldown": 0.5}), tmp_path / "run", quiet=True)
    training = json.loads((tmp_path / "run" / "provenance.json").read_text())["training"]
    assert 0.05 <= training["minutes"] < 0.06
    assert 50 <= training["steps"] <= 60
    rates = [record["learning_rate"] for record in log(tmp_path / "run") if record["kind"] == "train"]
    assert rates[-1] < 0.3 * max(rates)


@pytest.mark.parametrize("limit", [{"max_steps": 200}, {}])
def test_scores_that_stop_rising_end_the_run_until_there_is_more_patience(
    limit: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = {**limit, "valid_every": 1, "stop_metric": "loss", "learning_rate": 1e-12, "average": 0.0}
    steps = []
    for patience in (2, 2, 4):
        train(config(tmp_path, {**training, "patience": patience}), tmp_path / "run", quiet=False)
        steps.append(json.loads((tmp_path / "run" / "provenance.json").read_text())["training"]["steps"])
    assert steps[0] == steps[1] < steps[2] < 20
    assert "so raise training.patience (0: never stop) to train on." in " ".join(capsys.readouterr().err.split())


def test_a_loss_that_is_not_finite_stops_before_the_update(tmp_path: Path) -> None:
    broken = config(tmp_path, {"max_steps": 50, "learning_rate": 1e30, "clip_norm": 0.0, "warmup_steps": 0})
    with pytest.raises(
        TrainingError, match=r"Step \d+: the loss .*not updated.*lines: \S+:\d+, .*training.learning_rate"
    ):
        train(broken, tmp_path / "run", quiet=True)
    assert not (tmp_path / "run" / "model.safetensors").exists()


@pytest.mark.parametrize("log_every", [1, 7, 1000])
def test_it_also_stops_where_looks_are_rare(log_every: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU: between two looks come log lines, which begin the count anew."""
    monkeypatch.setattr("mtcli.training.loop._LOOK_EVERY", {"cpu": 1000})
    settings = {"learning_rate": 1e30, "clip_norm": 0.0, "warmup_steps": 0, "log_every": log_every}
    with pytest.raises(TrainingError, match=r"^Step 2: the loss .*not updated"):
        train(config(tmp_path, {"max_steps": 20, **settings}), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run" / "model.safetensors").exists()
    written = tmp_path / "run" / "log.jsonl"
    assert not written.exists() or "NaN" not in written.read_text()


def test_accumulated_batches_equal_one_large_batch(tmp_path: Path) -> None:
    """A corpus that fits one batch, or two that make one step: the same gradient."""
    pairs = [(source, target) for source, target in letter_pairs("copy", 3000, seed=1) if len(source) == 9][:64]
    src, tgt = write_sides(pairs, tmp_path / "train")
    weights = {}
    for accumulate in (1, 2):
        run = tmp_path / str(accumulate)
        settings = load_config(
            options={
                "model": SMALL | {"dropout": 0.0},
                "data": {"src": [str(src)], "tgt": [str(tgt)], "valid_src": [str(src)], "valid_tgt": [str(tgt)]}
                | {"vocab_size": 280},
                "training": {"max_steps": 3, "batch_tokens": 512 // accumulate, "accumulate": accumulate}
                | {"device": "cpu", "dtype": "float32", "average": 0.0, "learning_rate": 1e-3, "warmup_steps": 0},
            }
        )
        train(settings, run, quiet=True)
        weights[accumulate] = load_file(run / "model.safetensors")
    # A bias on the keys moves all scores of a query alike: its gradient is rounding noise, which Adam makes large.
    for name, tensor in weights[1].items():
        if name.endswith("k_proj.bias"):
            continue
        torch.testing.assert_close(tensor, weights[2][name], rtol=1e-3, atol=1e-5)


def test_the_seed_fixes_the_run(tmp_path: Path) -> None:
    contents = []
    for number, seed in enumerate((1, 1, 2)):
        train(config(tmp_path, {"max_steps": 5, "seed": seed}), tmp_path / str(number), quiet=True)
        contents.append((tmp_path / str(number) / "model.safetensors").read_bytes())
    assert contents[0] == contents[1] != contents[2]


def test_a_table_on_stdin_trains_and_goes_on(tmp_path: Path) -> None:
    table = "".join(f"{src}\t{tgt}\n" for src, tgt in letter_pairs("copy", 300, seed=4)).encode()
    settings = [word for key, value in SMALL.items() for word in ("--set", f"model.{key}={value}")]
    command = ("train", "--tsv", "-", "-o", tmp_path / "run", "--set", "data.vocab_size=280", *settings)
    first = mtcli(*command, "--max-steps", "2", stdin=table)
    assert first.returncode == 0, first.stderr.decode()
    again = mtcli(*command, "--max-steps", "3", stdin=table)
    assert "Going on from step 2" in again.stderr.decode()
    assert again.returncode == 0


def test_messages_tell_what_was_done(tmp_path: Path) -> None:
    pairs = [*letter_pairs("copy", 300, seed=4), ("", "1"), ("1 " * 200, "1")]
    src, tgt = write_sides(pairs, tmp_path / "train")
    settings = [word for key, value in SMALL.items() for word in ("--set", f"model.{key}={value}")]
    told = mtcli("train", "--src", src, "--tgt", tgt, "-o", tmp_path / "run", "--max-steps", "3", *settings)
    message = told.stderr.decode()
    assert told.returncode == 0, message
    assert "held out of the corpus" in message
    assert "skipped 1 pairs empty on one side and 1 longer than 32 tokens" in message
    assert "too small for 32000 pieces" in message
    assert "validation at step 3: BLEU" in message
    assert told.stdout == b""


def test_auto_is_the_number_type_that_a_run_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run"
    monkeypatch.setattr(devices, "_times_faster_in_bfloat16", lambda: 3.0)
    train(config(tmp_path, {"max_steps": 2}), run, quiet=True)
    monkeypatch.setattr(devices, "_times_faster_in_bfloat16", lambda: 0.1)
    train(config(tmp_path, {"max_steps": 4}), run, quiet=True)
    assert log(run)[-1]["step"] == 4
    with pytest.raises(ConfigError, match=r"training\.dtype = 'bfloat16'; now it is 'float32'"):
        train(config(tmp_path, {"max_steps": 6, "dtype": "float32"}), run, quiet=True)
