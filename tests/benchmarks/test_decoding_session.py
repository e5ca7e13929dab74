"""Who takes part with a model, and how much each decodes, with contestants that only answer."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers.engine import WARM_UP_TOGETHER, Work
from benchmarks.questions.decoding.cases import Case
from benchmarks.questions.decoding.contestants import JOEYNMT, MARIAN, MTCLI, NAMES
from benchmarks.questions.decoding.records import Model
from benchmarks.questions.decoding.session import FIRST_OF_SLOW, Plan, begin, decode_rate, row
from benchmarks.questions.decoding.sources import random_work
from benchmarks.questions.decoding.workers import Worker
from mtcli.bench.work.sentences import Words

WORK, SOURCES = random_work(None, FIRST_OF_SLOW + 1, Words.of(100), seed=1)
PLAN = Plan(
    contestants=NAMES,
    pythons={},
    rounds=1,
    only=(),
    all_settings=False,
    environment={},
    peer_environment={},
    seed=1,
    command="",
)


class Answering(Worker):
    """Writes two tokens for each sentence, as all its like do, and keeps what it was asked."""

    def __init__(self, refusal: str | None = None) -> None:
        self.facts: dict[str, Any] = {"dtypes": ["float32"]}
        self.refusal, self.asked = refusal, list[dict[str, Any]]()
        self.work: Work | None = None

    def ask(self, command: str, **arguments: Any) -> Any:
        if command == "load":
            self.work = Work(**arguments["work"])
        if command == "decode":
            self.asked.append(arguments)
            return {"seconds": 0.5, "num_tokens": 10, "outputs": [[5, 6]] * 8}
        return self.refusal if command == "refusal" else [-1.0] * 8


def case_of(work: Work) -> Case:
    sizes = {"encoder_layers": 1, "decoder_layers": 1, "d_model": 8, "ffn_dim": 8, "heads": 1, "parameters": 9}
    model = Model(name="toy", norm="pre", vocabulary=100, **sizes)
    return Case(model=model, sources=SOURCES, description=Path("d.json"), work=work, beams=(4, 1))  # type: ignore[arg-type]


def test_who_refuses_the_model_takes_no_part_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    workers = {name: Answering("no pre-norm." if name == MARIAN else None) for name in NAMES}
    entries, agreement = begin(workers, PLAN, case_of(WORK), batches=True)
    assert {one.contestant for one in entries} == set(NAMES) - {MARIAN}
    assert {one.contestant for one in agreement} == set(NAMES) - {MARIAN, MTCLI}
    assert workers[MARIAN].work is None
    assert all(worker.work == WORK for name, worker in workers.items() if name != MARIAN)
    assert "Hugging Face Marian takes no part with toy: no pre-norm." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("work", "few"),
    [
        (WORK, FIRST_OF_SLOW),
        (WORK.part(0, FIRST_OF_SLOW), None),
        (dataclasses.replace(WORK, forced=False), None),
    ],
)
def test_the_slow_decode_the_first_of_many_forced_outputs(work: Work, few: int | None) -> None:
    workers = {name: Answering() for name in (MTCLI, JOEYNMT)}
    entries, _ = begin(workers, PLAN, case_of(work), batches=True)
    for entry in (next(one for one in entries if one.contestant == name) for name in workers):
        assert decode_rate(workers, entry)[0] == 20.0
        asked = workers[entry.contestant].asked[-1]
        wanted = few if entry.contestant == JOEYNMT else None
        assert asked["first"] == row(entry)["first"] == wanted
        assert (asked["warm_up"] < WARM_UP_TOGETHER) == (wanted is not None)
