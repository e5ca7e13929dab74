"""Other decoders beside mtcli: the same scores and outputs from the same weights; and their training."""

import dataclasses
import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from support.described import PIECES, write_described

from benchmarks.contest.contestants import PEERS_PYTHON
from benchmarks.contest.machine import ROOT, package_path
from benchmarks.contest.processes import Team
from benchmarks.peers.ct2 import CTranslate2
from benchmarks.peers.engine import Decoder, Engine, Outcome, Work, batches, until
from benchmarks.peers.marian import Marian
from benchmarks.peers.stock_decoding import StockDecoder
from benchmarks.peers.training import train
from benchmarks.questions.decoders import command_of
from benchmarks.questions.models import random_case, write_imported_random, write_random
from benchmarks.questions.ours import Ours
from mtcli.bench.training.gradients import judged, loss_and_norm
from mtcli.bench.workload.sentences import PairBatch, Words, random_batches
from mtcli.data.tokenizer import BOS_ID
from mtcli.model_directory.loading import load_model

# Their ends are likely enough for some outputs to end by themselves, and for others to be cut.
MODELS: dict[str, dict[str, Any]] = {
    "post": {"seed": 3, "output_bias": True, "end": 2.0},
    "pre": {"seed": 1, "norm": "pre", "tied_embeddings": "target", "output_bias": True, "end": 2.0},
    "untied": {
        "seed": 7,
        "tied_embeddings": "none",
        "decoder_heads": 4,
        "decoder_ffn_dim": 12,
        "scale_embeddings": False,
        "activation": "silu",
        "positions": "learned",
        "output_bias": True,
        "end": 2.0,
    },
}
SOURCES = [Words.of(PIECES).sentence(length, random.Random(length)) for length in (9, 3, 14, 6, 2, 11, 7)]
FORCED = Work(sources=SOURCES, limits=[9] * 7, forced=True, length_penalty=1.0, lines=[])
LIMITS = [4, 20, 9, 20, 16, 2, 20]
FREE = dataclasses.replace(FORCED, forced=False, limits=LIMITS, length_penalty=0.6)
OURS = {"dtype": "float32", "engine": "native"}
STOCK = {"dtype": "float32", "batch": 3}
TARGETS = [[5, 6, 8], [9] * 10, [12]]

pytestmark = pytest.mark.usefixtures("one_thread")


def outputs(engine: Engine, description: str, work: Work, beam: int, settings: dict[str, Any]) -> list[list[int]]:
    decoder = Decoder(engine)
    decoder.load(description, 1, dataclasses.asdict(work))
    return list(decoder.decode(settings, beam, warm_up=1)["outputs"])


@pytest.fixture(params=MODELS)
def description(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return write_described(tmp_path, **MODELS[request.param])


@pytest.mark.parametrize("beam", [1, 4])
def test_stock_pytorch_finds_what_mtcli_finds(description: str, beam: int) -> None:
    expected = outputs(Ours(), description, FREE, beam, OURS)
    assert outputs(StockDecoder(), description, FREE, beam, STOCK) == expected
    assert len({tuple(output) for output in expected}) > 3
    left = [limit - len(output) - 1 for output, limit in zip(expected, LIMITS, strict=True)]
    assert min(left) == 0 and max(left) > 3
    for size in (1, 7):  # company and padding change nothing
        assert outputs(StockDecoder(), description, FREE, beam, STOCK | {"batch": size}) == expected


@pytest.mark.parametrize("beam", [1, 4])
def test_forced_outputs_are_as_long_as_they_must_be(description: str, beam: int) -> None:
    found = outputs(StockDecoder(), description, FORCED, beam, STOCK)
    assert found == outputs(Ours(), description, FORCED, beam, OURS)
    assert [len(output) + 1 for output in found] == FORCED.limits
    in_half = outputs(StockDecoder(), description, FORCED, beam, STOCK | {"dtype": "bfloat16"})
    assert [len(output) + 1 for output in in_half] == FORCED.limits


def test_banned_tokens_are_not_written(tmp_path: Path) -> None:
    for beam in (1, 4):
        written: set[int] = set()
        for number in range(2):
            banned = sorted(written)[:2]
            path = write_described(tmp_path / f"{beam}-{number}", banned=banned)
            written = {token for output in outputs(StockDecoder(), path, FORCED, beam, STOCK) for token in output}
            assert not written & set(banned)


def test_all_hold_the_model_and_search_it_alike(tmp_path: Path) -> None:
    path = write_described(tmp_path, seed=5, peers=("ct2", "hf"))
    engines: dict[Engine, dict[str, Any]] = {
        Ours(): OURS,
        StockDecoder(): STOCK,
        Marian(): STOCK,
        CTranslate2(): STOCK | {"inter_threads": 1, "intra_threads": 1},
    }
    scores, found = [], []
    for engine, settings in engines.items():
        engine.load(path, 1)
        scores.append(engine.score(SOURCES[:3], TARGETS))
        found.append([output[:8] for output in outputs(engine, path, FORCED, 1, settings)])
    for score, output in zip(scores[1:], found[1:], strict=True):
        assert score == pytest.approx(scores[0], abs=1e-3)
        assert output == found[0]
    assert scores[0] != pytest.approx([scores[0][0]] * 3)


def test_an_imported_model_is_held_by_all(tmp_path: Path) -> None:
    directory = write_imported_random(tmp_path, "tiny", 60, seed=4)
    case = random_case(
        directory, "like opus", data=None, limit=3, beam=2, seed=4, folder=tmp_path, peers=("ct2", "hf", "joeynmt")
    )
    assert (case.model.vocabulary, case.model.norm, case.work.limits, case.beams) == (60, "post", [27] * 3, (2, 1))
    assert set(case.refusals) <= {"joeynmt"}
    scores = []
    for engine in (Ours(), Marian(), CTranslate2(), StockDecoder()):
        engine.load(str(case.description), 1)
        scores.append(engine.score(case.work.sources, TARGETS))
    for score in scores[1:]:
        assert score == pytest.approx(scores[0], abs=1e-3)


def test_who_cannot_hold_a_model_says_why(tmp_path: Path) -> None:
    directory = write_random(tmp_path / "model", "tiny", 40, 1, {"model": {"norm": "pre", "output_bias": True}})
    case = random_case(
        directory, "pre", data=None, limit=1, beam=2, seed=1, folder=tmp_path, peers=("ct2", "hf", "joeynmt")
    )
    assert set(case.refusals) == {"hf", "joeynmt"}
    assert "post-norm" in case.refusals["hf"] and "bias" in case.refusals["joeynmt"]


@pytest.mark.slow
def test_compiling_is_done_before_the_clock_starts(tmp_path: Path) -> None:
    from torch._dynamo.utils import counters

    torch.compiler.reset()
    path = write_described(tmp_path, **MODELS["post"], decoder_layers=1)
    engine = StockDecoder()
    engine.load(path, 1)
    engine.prepare(STOCK | {"compiled": "eager"})
    for beam, work in itertools.product((1, 4), (FREE, FORCED, FREE.part(1, 2))):
        counters.clear()
        call = engine.ready(work, beam)
        assert counters["stats"]["unique_graphs"] > 0 or work is not FREE
        counters.clear()
        assert list(engine.outcome(call(), work).outputs) == outputs(StockDecoder(), path, work, beam, STOCK)
        assert not counters["stats"]["unique_graphs"]


class Short:
    """An engine whose outputs are too short."""

    def load(self, description: str, threads: int) -> None: ...
    def prepare(self, settings: dict[str, Any]) -> None: ...
    def ready(self, work: Work, beam: int) -> Any:
        return lambda: [[5]] * len(work.sources)

    def outcome(self, decoded: Any, work: Work) -> Outcome:
        return Outcome.of(decoded, work)


def test_outputs_that_are_shorter_than_forced_are_refused() -> None:
    decoder = Decoder(Short())  # type: ignore[arg-type]
    decoder.load("", 1, dataclasses.asdict(FORCED))
    with pytest.raises(ValueError, match="decoded 7 target tokens where 63 were forced"):
        decoder.decode({}, 1, warm_up=1)
    assert len(decoder.one_by_one({}, 1, first=3)["seconds"]) == 3


def test_batches_hold_the_longest_first() -> None:
    assert batches([3, 9, 5, 7], 3) == [[1, 3, 2], [0]]
    assert (until(2, [5, 2, 7, 2]), until(2, [5])) == ([5], [5])


@pytest.fixture(scope="module")
def joeynmt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    if not (PEERS_PYTHON.parents[1] / ".ready").exists():
        pytest.skip(f"{PEERS_PYTHON} is not there: make peers")
    team = Team({"joeynmt": command_of("joeynmt", "cpu")}, tmp_path_factory.mktemp("log"), package_path(), lambda: 300)
    yield team
    team.close()


@pytest.mark.parametrize("name", ["post", "untied"])
def test_joeynmt_holds_the_model_and_searches_it_alike(joeynmt: Team, tmp_path: Path, name: str) -> None:
    model = {**MODELS[name], "output_bias": False, "banned": [0, BOS_ID, 3]}
    path = write_described(tmp_path, **model)
    engine = Ours()
    engine.load(path, 1)
    joeynmt.load(description=path, threads=1, work=dataclasses.asdict(FORCED))
    scores = joeynmt.ask("joeynmt", "score", sources=SOURCES[:3], targets=TARGETS)
    assert scores == pytest.approx(engine.score(SOURCES[:3], TARGETS), abs=1e-4)
    for beam in (1, 3):
        answer = joeynmt.ask("joeynmt", "decode", settings={"batch": 4}, beam=beam, warm_up=1)
        assert [len(output) for output in answer["outputs"]] == FORCED.limits
    greedy = joeynmt.ask("joeynmt", "decode", settings={"batch": 4}, beam=1, warm_up=1)["outputs"]
    assert [output[:8] for output in greedy] == outputs(Ours(), path, FORCED, 1, OURS)


@pytest.mark.parametrize("model", ["stock", "marian"])
def test_the_plain_loop_trains_the_model_that_mtcli_has(tmp_path: Path, model: str) -> None:
    path = write_described(tmp_path, peers=("hf",), dropout=0.1)
    words = Words.of(PIECES)
    pairs = random_batches(words, words, tokens=60, count=4, seed=1, longest=12)
    task = {
        "description": path,
        "device": "cpu",
        "dtype": "float32",
        "threads": 1,
        "window": 2,
        "compiled": None,
        "batches": [dataclasses.asdict(one) for one in pairs],
    }
    result = train(model, json.loads(json.dumps(task)))
    loaded = load_model(tmp_path / "model", torch.device("cpu"))
    assert result["parameters"] == loaded.network.num_parameters()
    batch = PairBatch(**task["batches"][0]).on_device(loaded.tokenizers.tgt.start_id, torch.device("cpu"))
    expected = loss_and_norm(loaded.network, batch, 0.1, torch.float32)
    passed, detail = judged(result["check"], expected, "float32")
    assert passed, detail
    assert len(result["seconds"]) == 2
    assert sum(result["num_tokens"]) == sum(sum(one.tgt_lengths) for one in pairs)


def test_requirements_are_those_that_make_peers_installs() -> None:
    lines = (ROOT / "benchmarks" / "peers" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith("joeynmt==") for line in lines)
