"""A kill loses nothing: the same command again reaches the same weights, bit for bit."""

import os
import signal
from pathlib import Path

import pytest
from support.command import mtcli
from support.killing import end_stopped, stopped_before
from support.letters import letter_pairs, write_sides

STEPS = 60


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("corpus")
    write_sides(letter_pairs("copy", 1500, seed=1), directory / "train")
    write_sides(letter_pairs("copy", 50, seed=2), directory / "valid")
    return directory


def command(corpus: Path, run: Path, *extra: str) -> list[str]:
    files = {name: str(corpus / f"{stem}{suffix}") for name, stem, suffix in _FILES}
    options = [word for name, file in files.items() for word in (f"--{name}", file)]
    sizes = ("encoder_layers=1", "decoder_layers=1", "d_model=32", "ffn_dim=64", "heads=2", "dropout=0.2")
    settings = [*(f"model.{size}" for size in sizes), "data.vocab_size=280", "training.batch_tokens=400"]
    assignments = [word for setting in settings for word in ("--set", setting)]
    limits = ["--max-steps", str(STEPS), "--save-every", "10", "--valid-every", "20", "--device", "cpu"]
    return ["train", *options, "-o", str(run), *limits, *assignments, *extra]


_FILES = (
    ("src", "train", ".src"),
    ("tgt", "train", ".tgt"),
    ("valid-src", "valid", ".src"),
    ("valid-tgt", "valid", ".tgt"),
)


@pytest.fixture(scope="module")
def uninterrupted(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("uninterrupted") / "run"
    assert mtcli(*command(corpus, run)).returncode == 0
    return run


def weights(run: Path) -> dict[str, bytes]:
    """The tensors a run ends with."""
    files = [run / "model.safetensors", *sorted((run / "checkpoints").glob("**/*.safetensors"))]
    return {str(file.relative_to(run)): file.read_bytes() for file in files}


def end_at(arguments: list[str], number: signal.Signals, *, step: int) -> int:
    """Start a run and send it a signal when all is written of the checkpoint of `step` but its name; the exit code."""
    return end_stopped(stopped_before(f"step-{step:08d}$", 1, arguments), number)[0]


def test_killed_runs_reach_the_same_weights(corpus: Path, uninterrupted: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    for step in (20, 40):
        assert end_at(command(corpus, run), signal.SIGKILL, step=step) == -signal.SIGKILL
    assert mtcli(*command(corpus, run)).returncode == 0
    assert weights(run) == weights(uninterrupted)
    logged = [line for line in (run / "log.jsonl").read_text().splitlines() if '"valid"' in line]
    assert len(logged) == STEPS // 20


def test_killed_before_the_first_checkpoint(corpus: Path, uninterrupted: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert end_at(command(corpus, run), signal.SIGKILL, step=10) == -signal.SIGKILL
    assert mtcli(*command(corpus, run)).returncode == 0
    assert weights(run) == weights(uninterrupted)


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_an_interrupt_saves_and_the_run_goes_on(
    corpus: Path, uninterrupted: Path, tmp_path: Path, number: signal.Signals, name: str
) -> None:
    run = tmp_path / "run"
    assert end_at(command(corpus, run), number, step=20) == 130, name
    assert mtcli(*command(corpus, run)).returncode == 0
    assert weights(run) == weights(uninterrupted)


def test_a_damaged_newest_checkpoint_costs_only_its_steps(corpus: Path, uninterrupted: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    end_at(command(corpus, run), signal.SIGKILL, step=30)
    newest = max(run.glob("checkpoints/step-????????"))
    (newest / "model.safetensors").write_bytes(b"nonsense")
    finished = mtcli(*command(corpus, run))
    assert finished.returncode == 0
    assert newest.name in finished.stderr.decode()
    assert weights(run) == weights(uninterrupted)


def test_a_finished_run_repeated_changes_nothing(corpus: Path, uninterrupted: Path) -> None:
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in _files(uninterrupted)}
    finished = mtcli(*command(corpus, uninterrupted))
    assert finished.returncode == 0
    assert "finished" in finished.stderr.decode()
    after = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in _files(uninterrupted)}
    assert after.keys() == before.keys()
    changed = [path.name for path in before if after[path] != before[path]]
    assert changed == []


def _files(directory: Path) -> list[Path]:
    return sorted(Path(parent) / name for parent, _, names in os.walk(directory) for name in names)


def test_a_changed_setting_is_refused_with_both_values(corpus: Path, uninterrupted: Path) -> None:
    changed = {"model.dropout=0.2": "model.dropout=0.3"}
    finished = mtcli(*(changed.get(word, word) for word in command(corpus, uninterrupted)))
    assert finished.returncode == 1
    assert "model.dropout = 0.2; now it is 0.3" in finished.stderr.decode()


def test_a_changed_corpus_is_refused(corpus: Path, uninterrupted: Path, tmp_path: Path) -> None:
    other = tmp_path / "corpus"
    other.mkdir()
    for path in corpus.iterdir():
        (other / path.name).write_text(path.read_text())
    write_sides(letter_pairs("copy", 1400, seed=9), other / "train")
    finished = mtcli(*command(other, uninterrupted))
    assert finished.returncode == 1
    assert "another corpus" in finished.stderr.decode()


def test_a_raised_limit_trains_on(corpus: Path, uninterrupted: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert mtcli(*command(corpus, run)).returncode == 0
    arguments = command(corpus, run)
    arguments[arguments.index("--max-steps") + 1] = str(STEPS + 5)
    assert mtcli(*arguments).returncode == 0
    assert f"step-{STEPS + 5:08d}" in {path.name for path in (run / "checkpoints").iterdir()}
