"""JoeyNMT beside mtcli: the same scores and outputs from the same weights; on its own Python, where that is there."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.described import PIECES, write_described

from benchmarks.peers.engine import Contestant, Work
from benchmarks.questions.decoding.contestants import JOEYNMT, Entry
from benchmarks.questions.decoding.ours import Ours
from benchmarks.questions.decoding.sources import random_work
from benchmarks.questions.decoding.workers import ROOT, Worker
from mtcli.bench.work.sentences import Words
from mtcli.data.tokenizer import BOS_ID

PYTHON = ROOT / ".venv-peers-joeynmt" / "bin" / "python"
# JoeyNMT writes no start token; the others may, unless it is banned. Of each some outputs end by themselves.
MODELS: dict[str, dict[str, Any]] = {
    "post": {"seed": 4, "banned": [0, BOS_ID, 7]},
    "pre": {"seed": 6, "banned": [BOS_ID], "norm": "pre", "tied_embeddings": "target", "activation": "silu"},
    "untied": {
        "seed": 6,
        "banned": [BOS_ID],
        "tied_embeddings": "none",
        "decoder_heads": 4,
        "decoder_ffn_dim": 12,
        "scale_embeddings": False,
        "positions": "learned",
        "activation": "gelu",
    },
}
# Its states vary so little that they depend on what a norm adds to their variance.
FLAT = {"norm": "pre", "positions": "learned", "scale_embeddings": False, "spread": 0.01}
FORCED = dataclasses.replace(random_work(None, 6, Words.of(PIECES), seed=3)[0], limits=[9] * 6)
FREE = dataclasses.replace(FORCED, forced=False, limits=[12] * 6)

pytestmark = [
    pytest.mark.skipif(not PYTHON.exists(), reason=f"{PYTHON} is not there: make peers"),
    pytest.mark.usefixtures("one_thread"),
]


@pytest.fixture(scope="module")
def joeynmt() -> Iterator[Worker]:
    found = Worker(JOEYNMT, str(PYTHON), {})
    yield found
    found.close()


def ours(description: str, work: Work, beam: int) -> list[list[int]]:
    contestant = Contestant(Ours())
    contestant.load(description, 1, dataclasses.asdict(work))
    settings = {"dtype": "float32", "independent": False, "lines": False}
    found: list[list[int]] = contestant.decode(settings, beam, warm_up=1)["outputs"]
    return found


@pytest.mark.parametrize("model", [*MODELS.values(), FLAT], ids=[*MODELS, "flat"])
def test_it_holds_the_model(joeynmt: Worker, tmp_path: Path, model: dict[str, Any]) -> None:
    description = write_described(tmp_path, **model)
    assert joeynmt.ask("refusal", description=description) is None
    engine, targets = Ours(), [[5, 6, 8], [9] * 10, [12]]
    engine.load(description, 1)
    joeynmt.load(Path(description), 1, FORCED)
    scores = joeynmt.ask("score", sources=FORCED.sources[:3], targets=targets)
    assert scores == pytest.approx(engine.score(FORCED.sources[:3], targets), abs=1e-4)


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("name", MODELS)
def test_greedy_outputs_are_mtclis(joeynmt: Worker, tmp_path: Path, name: str, batch: int) -> None:
    description = write_described(tmp_path, **MODELS[name])
    joeynmt.load(Path(description), 1, FREE)
    answer = joeynmt.run("decode", Entry(JOEYNMT, "float32", 1, {"batch": batch}), warm_up=1)
    # What is cut off has another token where mtcli's has the end token.
    wanted = ours(description, FREE, 1)
    assert [output[: len(one)] for output, one in zip(answer["outputs"], wanted, strict=True)] == wanted
    assert len({tuple(one) for one in wanted}) > 2
    assert min(map(len, wanted)) + 1 < FREE.limits[0]


def test_beams_are_mtclis_where_length_does_not_count(joeynmt: Worker, tmp_path: Path) -> None:
    description, work = write_described(tmp_path, **MODELS["post"]), dataclasses.replace(FREE, length_penalty=0.0)
    wanted = ours(description, work, 3)
    found = []
    for work_asked in (work, dataclasses.replace(work, length_penalty=2.0)):
        joeynmt.load(Path(description), 1, work_asked)
        found.append(joeynmt.run("decode", Entry(JOEYNMT, "float32", 3, {"batch": 4}), warm_up=1)["outputs"])
    assert [output[: len(one)] for output, one in zip(found[0], wanted, strict=True)] == wanted
    assert wanted != ours(description, work, 1)
    assert sum(map(len, found[1])) > sum(map(len, found[0]))


@pytest.mark.parametrize("beam", [1, 3])
def test_forced_outputs_are_as_long_as_they_must_be(joeynmt: Worker, tmp_path: Path, beam: int) -> None:
    joeynmt.load(Path(write_described(tmp_path, **MODELS["post"])), 1, FORCED)
    answer = joeynmt.run("decode", Entry(JOEYNMT, "float32", beam, {"batch": 4}), warm_up=1)
    assert [len(output) for output in answer["outputs"]] == FORCED.limits
    assert answer["num_tokens"] == sum(FORCED.limits)


@pytest.mark.parametrize("beam", [1, 3])
def test_banned_tokens_are_not_written(joeynmt: Worker, tmp_path: Path, beam: int) -> None:
    banned: list[int] = []
    for _ in range(2):
        joeynmt.load(Path(write_described(tmp_path, seed=3, banned=banned)), 1, FORCED)
        answer = joeynmt.run("decode", Entry(JOEYNMT, "float32", beam, {"batch": 4}), warm_up=1)
        written = {token for output in answer["outputs"] for token in output}
        assert not written & set(banned)
        banned = sorted(written)[:2]


def test_it_refuses_what_it_cannot_express(joeynmt: Worker, tmp_path: Path) -> None:
    description = write_described(tmp_path, output_bias=True)
    assert "no bias" in joeynmt.ask("refusal", description=description)
