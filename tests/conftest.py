"""Fixtures that several test modules share."""

import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from support.fork_server import end_fork_server
from support.letters import letter_pairs, write_sides
from support.shared import made_once

from mtcli.config import Config, load_config
from mtcli.training.run import train
from mtcli_native import load

# A shell starts its background jobs deaf to Ctrl-C, and the processes that the tests start inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:  # nohup does that
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# The tests' networks are too small to share among threads, which would only wait for one another.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)

# A busy machine must not fail a property for being slow. `make test-all` takes the second profile.
settings.register_profile("representative", deadline=None, max_examples=20)
settings.register_profile("exhaustive", deadline=None, max_examples=50)
settings.load_profile("representative")


def pytest_unconfigure() -> None:
    end_fork_server()


def letters_config(task: str, directory: Path, **training: object) -> Config:
    """A corpus of letters in `directory`, and a network just large enough for it."""
    pairs = letter_pairs(task, 6200, seed=5)
    src, tgt = write_sides(pairs[:6000], directory / "train")
    valid_src, valid_tgt = write_sides(pairs[6000:6100], directory / "valid")
    write_sides(pairs[6100:], directory / "test")
    return load_config(
        options={
            "model": {
                "encoder_layers": 2,
                "decoder_layers": 2,
                "d_model": 64,
                "ffn_dim": 128,
                "heads": 4,
                "max_length": 40,
                "dropout": 0.0,
            },
            "data": {
                "src": [str(src)],
                "tgt": [str(tgt)],
                "valid_src": [str(valid_src)],
                "valid_tgt": [str(valid_tgt)],
                "vocab_size": 290,
            },
            "training": {
                "batch_tokens": 800,
                "learning_rate": 3e-3,
                "warmup_steps": 100,
                "cooldown": 0.5,
                "label_smoothing": 0.0,
                "valid_every": 10_000,
                "save_every": 10_000,
                "int8_lines": 0,
                "device": "cpu",
                **training,
            },
        },
    )


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Tiny networks waste their time waking threads up."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _denormal_numbers() -> None:
    """What one test trained must not flush another's smallest numbers to zero: the processor's mode is global."""
    torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def trained_letters(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Trains a model of one of the tasks over letters once a run; the directory holds model/, test.src and test.tgt."""

    def make(task: str, directory: Path) -> None:
        train(letters_config(task, directory, max_steps=500), directory / "model", quiet=True)

    return lambda task: made_once(tmp_path_factory, task, partial(make, task))


@pytest.fixture(scope="session")
def reverse_model(trained_letters: Callable[[str], Path]) -> Path:
    """A model directory that reverses letters."""
    return trained_letters("reverse") / "model"


def pytest_sessionstart() -> None:
    """Have the CPU's kernels compiled, where their sources are newer than what was installed: it is said once, here."""
    if load.obstacle() is None:
        load.entry()
