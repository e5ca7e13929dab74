"""Plain PyTorch's decoding beside mtcli's: the same scores and the same outputs from the same weights."""

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from support.described import PIECES, write_described

from benchmarks.peers.engine import Contestant, Engine, Work
from benchmarks.peers.stock_decoding import StockDecoder
from benchmarks.questions.decoding.ours import Ours
from benchmarks.questions.decoding.sources import random_work
from mtcli.bench.work.sentences import Words

# Their ends are likely enough for some outputs to end by themselves, and for others to be cut.
MODELS: dict[str, dict[str, Any]] = {
    "post": {"seed": 3, "banned": [0, 3, 7], "output_bias": True, "end": 2.0},
    "pre": {"seed": 1, "norm": "pre", "tied_embeddings": "target", "output_bias": True, "end": 2.0},
    "untied": {
        "seed": 2,
        "tied_embeddings": "none",
        "decoder_heads": 4,
        "decoder_ffn_dim": 12,
        "scale_embeddings": False,
        "activation": "silu",
        "positions": "learned",
        "output_bias": True,
        "end": 3.0,
    },
}
FORCED = dataclasses.replace(random_work(None, 7, Words.of(PIECES), seed=3)[0], limits=[9] * 7)
LIMITS = [4, 20, 9, 20, 16, 2, 20]
FREE = dataclasses.replace(FORCED, forced=False, limits=LIMITS, length_penalty=0.6)
SETTINGS = {"dtype": "float32", "batch": 3}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(params=MODELS)
def description(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return write_described(tmp_path, **MODELS[request.param])


def outputs(engine: Engine, description: str, work: Work, beam: int, settings: dict[str, Any]) -> list[list[int]]:
    contestant = Contestant(engine)
    contestant.load(description, 1, dataclasses.asdict(work))
    found: list[list[int]] = contestant.decode(settings, beam, warm_up=1)["outputs"]
    return found


def ours(description: str, work: Work, beam: int) -> list[list[int]]:
    return outputs(Ours(), description, work, beam, {"dtype": "float32", "independent": False, "lines": False})


def stock(description: str, work: Work, beam: int, **settings: Any) -> list[list[int]]:
    return outputs(StockDecoder(), description, work, beam, SETTINGS | settings)


@pytest.mark.parametrize("beam", [1, 4])
def test_it_finds_what_mtcli_finds(description: str, beam: int) -> None:
    expected = ours(description, FREE, beam)
    assert stock(description, FREE, beam) == expected
    assert len({tuple(output) for output in expected}) > 3
    left = [limit - len(output) - 1 for output, limit in zip(expected, LIMITS, strict=True)]
    assert min(left) == 0 and max(left) > 3


@pytest.mark.parametrize("beam", [1, 4])
def test_forced_outputs_are_as_long_as_they_must_be(description: str, beam: int) -> None:
    found = stock(description, FORCED, beam)
    assert found == ours(description, FORCED, beam)
    assert [len(output) + 1 for output in found] == FORCED.limits


def test_banned_tokens_are_not_written(tmp_path: Path) -> None:
    for beam in (1, 4):
        written = {token for output in stock(write_described(tmp_path), FORCED, beam) for token in output}
        banned = sorted(written)[:2]
        found = stock(write_described(tmp_path, banned=banned), FORCED, beam)
        assert not {token for output in found for token in output} & set(banned)


def test_scores_are_mtclis(description: str) -> None:
    targets = [[5, 6, 8], [9] * 10, [12]]
    scores = []
    for engine in (Ours(), StockDecoder()):
        engine.load(description, 1)
        scores.append(engine.score(FORCED.sources[:3], targets))
    assert scores[1] == pytest.approx(scores[0], abs=1e-4)


@pytest.mark.parametrize("beam", [1, 4])
def test_company_and_padding_change_nothing(description: str, beam: int) -> None:
    assert stock(description, FREE, beam, batch=1) == stock(description, FREE, beam, batch=7)


@pytest.mark.slow
def test_compiling_changes_nothing_and_is_done_before_the_clock_starts(tmp_path: Path) -> None:
    from torch._dynamo.utils import counters

    torch.compiler.reset()
    description = write_described(tmp_path, **MODELS["post"], decoder_layers=1)
    engine = StockDecoder()
    engine.load(description, 1)
    engine.prepare(SETTINGS | {"compiled": "eager"})
    for beam, work in itertools.product((1, 4), (FREE, FORCED, FREE.part(1, 2))):
        counters.clear()
        call = engine.ready(work, beam)
        assert counters["stats"]["unique_graphs"] > 0 or work is not FREE
        counters.clear()
        assert call() == stock(description, work, beam)
        assert not counters["stats"]["unique_graphs"]


def test_other_number_types_decode_as_many(tmp_path: Path) -> None:
    found = stock(write_described(tmp_path), FORCED, 4, dtype="bfloat16")
    assert [len(output) + 1 for output in found] == FORCED.limits


def test_it_refuses_no_model(description: str) -> None:
    assert StockDecoder().refusal(description) is None
