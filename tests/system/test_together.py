"""Several processes train one model: as one does, within rounding; and no matter what happens to one of them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.command import MTCLI, mtcli
from support.digits import digit_pairs, write_sides
from support.patience import PATIENCE, wait_until
from support.slow import slow

SIZES = ("encoder_layers=1", "decoder_layers=1", "d_model=16", "ffn_dim=16", "heads=2", "dropout=0.2")
ENVIRONMENT = {"OMP_NUM_THREADS": "1"}  # of the processes that the command starts


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("corpus")
    write_sides(digit_pairs("copy", 600, seed=1), directory / "train")
    write_sides(digit_pairs("copy", 30, seed=2), directory / "valid")
    return directory


def command(corpus: Path, run: Path, steps: int) -> list[str]:
    files = [(f"--{prefix}{side}", corpus / f"{stem}.{side}") for prefix, stem in _PARTS for side in ("src", "tgt")]
    settings = [*(f"model.{size}" for size in SIZES), "data.vocab_size=280", *_TRAINING]
    limits = ["--device", "cpu", "--dtype", "float32", "--save-every", "10", "--valid-every", "10"]
    limits += ["--max-steps", str(steps)]
    words = [word for option, file in files for word in (option, str(file))]
    return ["train", *words, "-o", str(run), *limits, *(word for setting in settings for word in ("--set", setting))]


_PARTS = (("", "train"), ("valid-", "valid"))
_TRAINING = (
    *("training.batch_tokens=300", "training.log_every=5", "training.accumulate=2", "training.warmup_steps=5"),
    "training.patience=0",
)


def log(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def alone(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("alone") / "run"
    assert mtcli(*command(corpus, run, 20)).returncode == 0
    return run


def assert_same_curve(run: Path, expected: Path) -> None:
    assert len(log(run)) == len(log(expected)) > 0
    for found, wanted in zip(log(run), log(expected), strict=True):
        assert found.keys() == wanted.keys()
        for name in ("step", "epoch", "loss", "nll", "learning_rate", "gradient_norm", "perplexity"):
            if name in wanted:
                assert found[name] == pytest.approx(wanted[name], rel=2e-3), (name, wanted["step"])


@pytest.mark.parametrize("processes", [2, *slow(4)])
def test_the_loss_curve_is_that_of_one_process(processes: int, corpus: Path, alone: Path, tmp_path: Path) -> None:
    finished = mtcli(*command(corpus, tmp_path / "run", 20), "--nproc", str(processes), env=ENVIRONMENT)
    said = finished.stderr.decode()
    assert finished.returncode == 0, said
    assert_same_curve(tmp_path / "run", alone)
    assert said.count("Training the tokenizer") == said.count("Translate with it") == 1, "one process speaks"
    assert said.count("Warning") == said.count("Warning: only 30 pairs to validate on") == 1
    facts = json.loads((tmp_path / "run" / "provenance.json").read_text())["training"]
    assert facts["processes"] == processes
    assert facts["target_tokens"] == json.loads((alone / "provenance.json").read_text())["training"]["target_tokens"]


def test_a_run_goes_on_with_another_number_of_processes(corpus: Path, alone: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert mtcli(*command(corpus, run, 10)).returncode == 0
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "mtcli"]
    finished = subprocess.run(
        [*torchrun, *command(corpus, run, 20)],
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    assert finished.returncode == 0, finished.stderr.decode()
    assert "Going on from step 10" in finished.stderr.decode()
    assert log(run)[-1]["step"] == 20
    assert log(run)[-1]["nll"] == pytest.approx(log(alone)[-1]["nll"], rel=0.05)  # the rate of the first half differs


def start(arguments: list[str], run: Path) -> subprocess.Popen[bytes]:
    """Start a long run in two processes, and wait until it has saved something."""
    process = subprocess.Popen(
        [*MTCLI, *arguments, "--nproc", "2"],
        env={**os.environ, **ENVIRONMENT},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    wait_until(lambda: list(run.glob("checkpoints/step-????????")), or_fail=lambda: process.poll() is not None)
    return process


def workers(launcher: int) -> list[int]:
    """The processes that train: the launcher's children."""
    found = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(launcher)], capture_output=True, text=True, check=True
    )
    return [int(line.split()[0]) for line in found.stdout.splitlines() if "mtcli" in line]


def end(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    _, said = process.communicate(timeout=PATIENCE)
    return process.returncode, said.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes with Linux's ps")
@pytest.mark.parametrize("victim", [0, *slow(1)])
def test_a_process_that_dies_ends_the_run_and_the_rest_can_go_on(victim: int, corpus: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = start(command(corpus, run, 100_000), run)
    both = workers(process.pid)
    assert len(both) == 2
    os.kill(both[victim], signal.SIGKILL)
    code, said = end(process)
    assert code == 1, said
    assert "another process of this run has ended" in said
    assert "Traceback" not in said
    saved = max(int(path.name[5:]) for path in run.glob("checkpoints/step-????????"))
    again = mtcli(*command(corpus, run, saved + 2), "--nproc", "2", env=ENVIRONMENT)
    assert again.returncode == 0
    assert f"Going on from step {saved:,}." in again.stderr.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, *slow(signal.SIGTERM)])
def test_an_interrupt_saves(number: signal.Signals, corpus: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = start(command(corpus, run, 100_000), run)
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)  # as a terminal does
    code, said = end(process)
    assert code == 130, said
    assert "The same command goes on from there." in said
    assert "Traceback" not in said
    saved = max(int(path.name[5:]) for path in run.glob("checkpoints/step-????????"))
    assert f"Saved at step {saved:,}." in said


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes with Linux's ps")
def test_processes_whose_launcher_was_killed_save_and_end(corpus: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = start(command(corpus, run, 100_000), run)
    left = workers(process.pid)
    refused = mtcli(*command(corpus, run, 5), "--nproc", "2", env=ENVIRONMENT)
    assert refused.returncode == 1
    assert "Another training is at work" in refused.stderr.decode()
    process.kill()
    wait_until(lambda: not any(is_running(worker) for worker in left))
    process.communicate(timeout=PATIENCE)
    saved = max(int(path.name[5:]) for path in run.glob("checkpoints/step-????????"))
    again = mtcli(*command(corpus, run, saved + 2), "--nproc", "2", env=ENVIRONMENT)
    assert again.returncode == 0, again.stderr.decode()
    assert f"Going on from step {saved:,}." in again.stderr.decode()


def is_running(number: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except OSError:
        return False


def test_a_process_killed_before_training_is_told(corpus: Path, tmp_path: Path) -> None:
    """As the system does where memory runs out."""
    kill = "import os, signal\nif os.environ.get('RANK') == '0':\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    (tmp_path / "sitecustomize.py").write_text(kill)
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    finished = mtcli(*command(corpus, tmp_path / "run", 2), "--nproc", "2", env={**ENVIRONMENT, "PYTHONPATH": path})
    assert finished.returncode == 1
    said = finished.stderr.decode()
    assert "Error: Process 0 of 2 was ended by SIGKILL" in said
    assert "Traceback" not in said


def test_a_process_that_is_done_does_not_wait_for_its_interpreter(corpus: Path, tmp_path: Path) -> None:
    """Its end may meet a thread of PyTorch's that is not done, and abort: here it always would."""
    abort = "import atexit, os\nif 'RANK' in os.environ:\n    atexit.register(os.abort)\n"
    (tmp_path / "sitecustomize.py").write_text(abort)
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**ENVIRONMENT, "PYTHONPATH": path}
    finished = mtcli(*command(corpus, tmp_path / "run", 2), "--nproc", "2", env=environment)
    assert finished.returncode == 0, finished.stderr.decode()
    assert "Translate with it" in finished.stderr.decode()


def test_a_mistake_is_told_once(corpus: Path, tmp_path: Path) -> None:
    missing = [*command(corpus, tmp_path / "run", 5), "--nproc", "2"]
    missing[missing.index("--src") + 1] = str(tmp_path / "nothing.src")
    finished = mtcli(*missing, env=ENVIRONMENT)
    assert finished.returncode == 1
    assert finished.stderr.decode().count("nothing.src") == 1, finished.stderr.decode()
    assert "Traceback" not in finished.stderr.decode()
