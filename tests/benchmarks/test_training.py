"""The contest of trainers: who takes part, what a figure is, and what the file says."""

import json
import lzma
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.contest.contestants import MTCLI, matching, refuse_to_end_without_mtcli
from benchmarks.contest.machine import ROOT
from benchmarks.contest.records import Text, Training
from benchmarks.questions.tasks import Corpus, Task, multi30k, random_corpus
from benchmarks.questions.trainers import (
    AS_IT_COMES,
    BY_LENGTH,
    DROPPING_EVERYWHERE,
    JoeyNmt,
    Mtcli,
    TrainingEntry,
    entries,
    in_batches,
    joeynmt_settings,
)
from benchmarks.questions.training import TrainingContest
from mtcli.bench.contest import ContestantError
from mtcli.errors import DataError

TEXT = Text(origin="made up", sentences=2, mean_src=2.0, mean_tgt=2.0, longest=3)
CORPUS = Corpus(
    train=Path("train"),
    valid=Path("valid"),
    tokenizer=Path("pieces"),
    vocab_size=50,
    src=[[5] * length for length in (1, 9, 2, 8, 3, 7)],
    tgt=[[5] * length for length in (2, 9, 1, 8, 3, 7)],
    text=TEXT,
)


def task(**more: Any) -> Task:
    fields: dict[str, Any] = {"title": "Toy", "preset": "tiny", "corpus": CORPUS, "batch_tokens": 18, "warm_up": 2}
    return Task(**fields | {"steps": 4, "window": 2, "seed": 1} | more)


def test_entries_take_turns_and_have_their_references() -> None:
    found = entries({"mtcli": ["float32", "bfloat16"], "joeynmt": ["float32"], "torch": ["float32"]}, (1, 2))
    assert len({entry.name for entry in found}) == len(found)
    assert [entry.name for entry in found if entry.is_reference] == [
        "mtcli, float32, 1 core",
        "mtcli, float32, 2 cores",
    ]
    assert {entry.way for entry in found if entry.short == "joeynmt"} == {BY_LENGTH, AS_IT_COMES}
    assert {entry.way for entry in found if entry.short == MTCLI} == {"", DROPPING_EVERYWHERE}
    assert {entry.way for entry in entries({"mtcli": ["float32"], "hf": ["float32"]}, (1,))} == {""}
    assert [one.short for one in matching(found, ["pytorch*2 cores*"])] == ["mtcli", "mtcli", "torch"]


def test_a_rate_is_all_tokens_over_all_time_after_the_warm_up() -> None:
    assert task().rate([1.0, 100.0, 50.0]) == pytest.approx(2 / (1 / 100 + 1 / 50))
    with pytest.raises(ContestantError, match="its log has 2 figures where 3 were expected"):
        task().rate([1.0, 2.0])


def test_joeynmt_gets_batches_of_like_lengths() -> None:
    order = in_batches(CORPUS, 18, seed=1)
    assert sorted(order) == list(range(6))
    batches = [sorted(order[start : start + 2]) for start in (0, 2, 4)]
    assert [1, 3] in batches or [1] in [sorted(order[-1:])]
    settings = joeynmt_settings(task(), Path("t"), Path("f"), shuffle=False)
    assert settings["training"]["batch_size"] == 18 and settings["training"]["updates"] == 6
    assert settings["model"]["decoder"]["num_layers"] == task().model.decoder_layers
    assert settings["data"]["trg"]["lang"] == "tgt"


def test_logs_are_read(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    log = "Total params: 1,234\nEpoch 1, Step: 2, Tokens per Sec: 100, Lr\nTokens per Sec:    50,\n"
    (tmp_path / "model" / "train.log").write_text(log)
    assert (JoeyNmt().windows(tmp_path), JoeyNmt().parameters(tmp_path)) == ([100.0, 50.0], 1234)
    (tmp_path / "run").mkdir()
    records = [{"kind": "train", "tgt_tokens_per_second": 7}, {"kind": "valid"}, {"kind": "train"}]
    text = "\n".join(map(json.dumps, records))  # the last line is not whole yet
    (tmp_path / "run" / "log.jsonl").write_text(text)
    assert Mtcli().windows(tmp_path) == [7.0]


class Fake:
    """A trainer that is a small script."""

    def __init__(
        self, rate: float, parameters: int = 10, script: str = "", check: dict[str, float] | None = None
    ) -> None:
        self._rate, self._parameters, self._script, self._check = rate, parameters, script, check

    def versions(self) -> dict[str, str]:
        return {}

    def command(self, task: Task, entry: TrainingEntry, folder: Path) -> list[str]:
        return [sys.executable, "-c", self._script]

    def windows(self, folder: Path) -> list[float]:
        return [self._rate] * 3

    def parameters(self, folder: Path) -> int:
        return self._parameters

    def check(self, folder: Path) -> dict[str, float] | None:
        return self._check


def ran(tmp_path: Path, trainers: dict[str, Any], rounds: int = 1) -> TrainingContest:
    found: Sequence[TrainingEntry] = entries({short: ["float32"] for short in trainers}, (1,))
    contest = TrainingContest(task(), found, trainers, tmp_path, lambda: 1e6, 60.0)
    contest.contest.rounds(rounds)
    return contest


def test_ratios_are_to_mtcli(tmp_path: Path) -> None:
    contest = ran(tmp_path, {"mtcli": Fake(100.0), "torch": Fake(50.0)}, rounds=2)
    assert [(row.contestant, row.median, row.ratio, row.status) for row in contest.rows()] == [
        ("mtcli", 100.0, 1.0, "right"),
        ("PyTorch", 50.0, 0.5, "right"),
    ]
    assert contest.model().parameters == 10 and list(tmp_path.iterdir()) == []
    refuse_to_end_without_mtcli(contest.contest.series)


def test_another_model_is_wrong_and_a_failure_says_why(tmp_path: Path) -> None:
    broken = Fake(1.0, script="raise ValueError('no\\ngood')")
    rows = ran(tmp_path, {"mtcli": Fake(100.0), "torch": Fake(50.0, parameters=11), "hf": broken}).rows()
    assert [(row.status, row.why) for row in rows[1:]] == [
        ("wrong", "it learns 11 numbers where mtcli learns 10"),
        ("cannot run", "ValueError: no good"),
    ]


def test_another_loss_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrainingContest, "_of_mtcli", lambda self: {"loss": 2.0, "norm": 1.0})
    right, wrong = Fake(1.0, check={"loss": 2.0, "norm": 1.0}), Fake(1.0, check={"loss": 2.1, "norm": 1.0})
    rows = ran(tmp_path, {"mtcli": Fake(1.0), "torch": right, "hf": wrong}).rows()
    assert [row.status for row in rows] == ["right", "right", "wrong"]
    assert "the loss 2.1 differs" in (rows[2].why or "")


def test_without_mtcli_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    contest = ran(tmp_path, {"mtcli": Fake(1.0, script="import sys; sys.exit('It says so.')")})
    with pytest.raises(ContestantError, match=r"mtcli, float32, 1 core cannot run: It says so\."):
        refuse_to_end_without_mtcli(contest.contest.series)


def write_multi30k(data: Path) -> Path:
    folder = data / "multi30k"
    folder.mkdir(parents=True)
    for name, count in (("train", 300), ("val", 6)):
        for language in ("en", "de"):
            text = "".join(f"{language} word{number % 17} more{number % 23}\n" for number in range(count))
            (folder / f"{name}.{language}.xz").write_bytes(lzma.compress(text.encode()))
    return data


@pytest.mark.slow
def test_multi30k_is_cut_into_pieces_that_mtcli_learns(tmp_path: Path) -> None:
    found = multi30k(write_multi30k(tmp_path / "data"), tmp_path, src="en", tgt="de", vocab_size=300, limit=200)
    assert (found.text.sentences, found.text.origin) == (200, "Multi30k, en to de")
    assert found.train.with_suffix(".tgt").read_text(encoding="utf-8").startswith("de word0")
    with pytest.raises(DataError):
        multi30k(tmp_path / "nowhere", tmp_path, src="en", tgt="de", vocab_size=300)


def test_random_words_are_pieces_and_enough_for_the_batches(tmp_path: Path) -> None:
    corpus = random_corpus(None, tmp_path, vocab_size=200, tokens=900, seed=1)
    assert corpus.vocab_size == 200 and corpus.text.sentences > 50
    found = task(corpus=corpus, batch_tokens=200, warm_up=1, steps=3, window=1).batches()
    assert len(found) == 4
    lines = (tmp_path / "train.src").read_text(encoding="utf-8").splitlines()
    assert [len(line.split()) + 1 for line in lines] == list(map(len, corpus.src))


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.training", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tiny", "--contestants", "mtcli"], "name the folder that holds multi30k"),
        (["tiny", "--steps", "5", "--data", "x"], "measured in windows of 10 updates"),
        (["base", "--contestants", "torch"], "expected mtcli among them"),
        (["base", "--cores", "100000"], "this process may use"),
    ],
)
def test_wrong_options_are_sentences(words: list[str], message: str) -> None:
    finished = run(*words)
    assert (finished.returncode, message in finished.stderr) == (2, True), finished.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_a_sentence() -> None:
    finished = run("base", "--device", "cuda", "--contestants", "mtcli")
    assert finished.returncode == 1
    assert "CUDA" in finished.stderr and "Traceback" not in finished.stderr


@pytest.mark.slow
def test_a_toy_is_measured_beside_pytorch_and_marian(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    finished = run(
        *("base", "--preset", "tiny", "--vocab-size", 100, "--batch-tokens", 200, "--rounds", 1, "--cores", 1),
        *("--warm-up", 1, "--steps", 2, "--contestants", "mtcli,torch,hf", "--only", "*float32*", "--out", out),
    )
    assert finished.returncode == 0, finished.stderr
    result = Training.model_validate_json(out.read_text(encoding="utf-8"))
    rows = [row for row in result.rows if row.dtype == "float32"]
    assert [(row.contestant, row.status, row.why) for row in rows] == [
        ("mtcli", "right", None),
        ("PyTorch", "right", None),
        ("Hugging Face Marian", "right", None),
    ]
    assert len({row.parameters for row in rows}) == 1
