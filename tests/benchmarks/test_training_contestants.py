"""What the contestants are told to do, and how their logs are read; only plain loops are run."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.contest.processes import run_to_its_end
from benchmarks.questions.decoding.description import write_random
from benchmarks.questions.training.corpora import random_words
from benchmarks.questions.training.entries import (
    AS_IT_COMES,
    BY_LENGTH,
    DROPPING_EVERYWHERE,
    JOEYNMT,
    MTCLI,
    STOCK,
    Entry,
)
from benchmarks.questions.training.joeynmt import JoeyNmt, in_batches
from benchmarks.questions.training.ours import Mtcli
from benchmarks.questions.training.plain import PlainLoop, batches
from benchmarks.questions.training.tasks import Corpus, Task
from mtcli.config import load_config
from mtcli.data.tokenizer import EOS_ID, Tokenizer
from mtcli.errors import DataError

BATCH = 100


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    corpus = random_words(None, tmp_path_factory.mktemp("corpus"), vocab_size=60, tokens=1500, seed=1)
    return Task(preset="tiny", corpus=corpus, batch_tokens=BATCH, warm_up=2, steps=4, window=2, seed=3)


def entry(contestant: str, way: str = "") -> Entry:
    return Entry(contestant=contestant, dtype="float32", cores=1, way=way)


def test_random_words_are_pieces(task: Task) -> None:
    corpus = task.corpus
    assert corpus.vocab_size == 60
    lines = Path(f"{corpus.train}.src").read_text(encoding="utf-8").splitlines()
    assert [len(line.split()) + 1 for line in lines] == [len(source) for source in corpus.src]
    assert all(source[-1] == EOS_ID and min(source[:-1]) > 3 for source in corpus.src)
    assert len(corpus.src) == len(corpus.tgt)
    assert sum(map(len, corpus.src)) >= 1500
    tokenizer = Tokenizer.from_file(corpus.tokenizer)
    assert tokenizer.encode(lines[0]) == corpus.src[0][:-1]


def test_lengths_of_newstest_are_asked_for_where_they_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="newstest2014"):
        random_words(tmp_path, tmp_path, vocab_size=60, tokens=10, seed=1)


def test_mtcli_gets_the_task(task: Task, tmp_path: Path) -> None:
    words = list(Mtcli().command(task, entry(MTCLI), tmp_path).arguments)
    assert words[1] == "train"
    for option, value in (("--preset", "tiny"), ("--dtype", "float32"), ("--max-steps", "6"), ("--seed", "3")):
        assert words[words.index(option) + 1] == value
    assignments = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
    config = load_config("tiny", assignments=assignments)
    assert (config.training.batch_tokens, config.training.log_every) == (BATCH, 2)
    assert config.data.tokenizer == task.corpus.tokenizer
    assert config.model.attention_dropout == 0.0


def test_mtcli_drops_where_joeynmt_does(task: Task, tmp_path: Path) -> None:
    words = Mtcli().command(task, entry(MTCLI, DROPPING_EVERYWHERE), tmp_path).arguments
    assert {"model.attention_dropout=0.3", "model.activation_dropout=0.3"} <= set(words)


def test_mtclis_log_is_read(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    records: list[dict[str, Any]] = [
        {"kind": "train", "step": 2, "tgt_tokens_per_second": 120},
        {"kind": "valid", "step": 2, "bleu": 0.0},
        {"kind": "train", "step": 4, "tgt_tokens_per_second": 130},
    ]
    log = "".join(json.dumps(record) + "\n" for record in records)
    (tmp_path / "run" / "log.jsonl").write_text(log, encoding="utf-8")
    (tmp_path / "run" / "provenance.json").write_text('{"training": {"parameters": 12}}', encoding="utf-8")
    assert Mtcli().windows(tmp_path) == [120.0, 130.0]
    assert Mtcli().parameters(tmp_path) == 12


def joeynmts_settings(task: Task, folder: Path, way: str) -> dict[str, Any]:
    command = JoeyNmt(Path("python")).command(task, entry(JOEYNMT, way), folder)
    assert command.arguments[:4] == ["python", "-m", "joeynmt", "train"]
    settings: dict[str, Any] = json.loads(Path(command.arguments[4]).read_text(encoding="utf-8"))
    return settings


def test_joeynmt_gets_the_same_model_and_pieces(task: Task, tmp_path: Path) -> None:
    settings = joeynmts_settings(task, tmp_path, AS_IT_COMES)
    model = load_config("tiny").model
    stack = settings["model"]["decoder"]
    assert (stack["num_layers"], stack["hidden_size"], stack["ff_size"]) == (4, 128, 256)
    assert (stack["num_heads"], stack["dropout"], stack["layer_norm"]) == (4, model.dropout, "post")
    assert settings["model"]["tied_embeddings"] and settings["model"]["tied_softmax"]
    training = settings["training"]
    assert (training["updates"], training["logging_freq"], training["batch_size"]) == (6, 2, BATCH)
    assert training["validation_freq"] > training["updates"]
    assert training["validation_freq"] % training["logging_freq"] == 0
    assert training["shuffle"]
    pieces = Path(settings["data"]["src"]["voc_file"]).read_text(encoding="utf-8").splitlines()
    assert pieces[:4] == ["<unk>", "<s>", "</s>", "<pad>"]
    assert len(set(pieces)) == task.corpus.vocab_size


def test_joeynmts_corpus_can_be_sorted(task: Task, tmp_path: Path) -> None:
    settings = joeynmts_settings(task, tmp_path, BY_LENGTH)
    assert not settings["training"]["shuffle"]
    for end in ("src", "tgt"):
        lines = Path(f"{settings['data']['train']}.{end}").read_text(encoding="utf-8").splitlines()
        wanted = Path(f"{task.corpus.train}.{end}").read_text(encoding="utf-8").splitlines()
        assert lines != wanted
        assert sorted(lines) == sorted(wanted)


def as_joeynmt_cuts(corpus: Corpus, order: list[int]) -> list[list[int]]:
    """Batches of places, as its TokenBatchSampler makes them; the rest is left out."""
    cut: list[list[int]] = [[]]
    for place in order:
        cut[-1].append(place)
        if longest(corpus, cut[-1]) * len(cut[-1]) >= BATCH:
            cut.append([])
    return cut[:-1]


def longest(corpus: Corpus, places: list[int]) -> int:
    return max(max(len(corpus.src[place]), len(corpus.tgt[place])) for place in places)


def test_joeynmt_cuts_the_sorted_corpus_into_batches_of_like_lengths(task: Task) -> None:
    corpus = task.corpus
    first, second = (in_batches(corpus, BATCH, seed) for seed in (3, 4))
    assert sorted(first) == list(range(len(corpus.src)))
    made, again = (as_joeynmt_cuts(corpus, order) for order in (first, second))
    assert made != again
    assert sorted(made) == sorted(again), "it does not cut where the batches end"
    lengths = [longest(corpus, batch) for batch in made]
    assert lengths != sorted(lengths)
    tokens = sum(longest(corpus, [place]) for batch in made for place in batch)
    assert sum(longest(corpus, batch) * len(batch) for batch in made) < 1.25 * tokens


def test_joeynmts_log_is_read(tmp_path: Path) -> None:
    assert JoeyNmt(Path("python")).windows(tmp_path) == []
    (tmp_path / "model").mkdir()
    log = (
        "2025 - INFO - joeynmt.model - Total params: 1996672\n"
        "INFO - Epoch   1, Step:       10, Batch Loss: 8.1, Batch Acc: 0.1, Tokens per Sec:     1897, Lr: 0.000020\n"
    )
    (tmp_path / "model" / "train.log").write_text(log, encoding="utf-8")
    assert JoeyNmt(Path("python")).windows(tmp_path) == [1897.0]
    assert JoeyNmt(Path("python")).parameters(tmp_path) == 1996672


def requests(loop: PlainLoop, task: Task, folder: Path) -> list[dict[str, Any]]:
    command = loop.command(task, entry(STOCK), folder)
    assert command.stdin is not None
    return [json.loads(line) for line in command.stdin.read_text(encoding="utf-8").splitlines()]


def test_a_plain_loop_gets_mtclis_first_batches(task: Task, tmp_path: Path) -> None:
    made = batches(task)
    assert len(made) == task.updates
    pairs = {(tuple(src), tuple(tgt)) for src, tgt in zip(task.corpus.src, task.corpus.tgt, strict=True)}
    for batch in made:
        sides = zip(batch["sources"], batch["targets"], strict=True)
        assert all((tuple(src), tuple(tgt)) in pairs for src, tgt in sides)
        longer = [max(len(s), len(t)) for s, t in zip(batch["sources"], batch["targets"], strict=True)]
        assert sum(longer) <= BATCH or len(longer) == 1
    load, train = requests(PlainLoop(module="benchmarks.peers.stock"), task, tmp_path)
    assert load["batches"] == made
    assert (train["steps"], train["settings"], train["window"]) == (6, {"dtype": "float32"}, 2)


def test_what_is_compiled_meets_all_batches_before_they_are_timed(task: Task, tmp_path: Path) -> None:
    options = {"fallback_random": True}
    loop = PlainLoop(module="benchmarks.peers.stock", backend="inductor", options=options)
    _, first, timed = requests(loop, task, tmp_path)
    settings = {"dtype": "float32", "compiled": "inductor", "options": options, "dynamic": True}
    assert (first["steps"], first["settings"]) == (task.updates, settings)
    assert (timed["steps"], timed["settings"]) == (task.updates, settings | {"stance": "fail_on_recompile"})


@pytest.mark.parametrize("backend", [None, "inductor"])
def test_the_last_answer_of_a_plain_loop_has_the_figures(tmp_path: Path, backend: str | None) -> None:
    loop = PlainLoop(module="benchmarks.peers.stock", backend=backend)
    compiling = {"seconds": [100.0, 0.5], "num_tokens": [10, 10], "peak_bytes": None}
    answers = [{"parameters": 5}, *([compiling] if backend else []), compiling | {"seconds": [2.0, 0.5]}]
    assert loop.windows(tmp_path) == []
    for number in range(1, len(answers) + 1):
        said = "".join(json.dumps(answer) + "\n" for answer in answers[:number])
        (tmp_path / "stdout").write_text(said, encoding="utf-8")
        assert loop.windows(tmp_path) == ([5.0, 20.0] if number == len(answers) else [])
    assert loop.parameters(tmp_path) == 5


@pytest.mark.parametrize("backend", [None, "eager"])
def test_a_plain_loop_trains(task: Task, tmp_path: Path, backend: str | None) -> None:
    loop = PlainLoop(module="benchmarks.peers.stock", backend=backend)
    command = loop.command(task, entry(STOCK), tmp_path)
    run_to_its_end(command, tmp_path, cores=1, seconds=300)
    assert task.rate(loop.windows(tmp_path)) > 0
    assert loop.parameters(tmp_path) == write_random(tmp_path, "tiny", task.corpus.vocab_size, seed=1).parameters
