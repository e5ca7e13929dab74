"""A contestant's process and what it is told, with an engine that needs no model."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers.engine import Contestant, Outcome, Settings, Work, batches
from benchmarks.questions.decoding import workers
from benchmarks.questions.decoding.contestants import CTRANSLATE2, Entry
from benchmarks.questions.decoding.workers import ISA_VARIABLES, Worker

ENGINE = """
import os
from benchmarks.peers.engine import Contestant, Outcome

class Echo:
    def facts(self):
        print("a library that talks")
        return {"versions": {}, "dtypes": ["float32"], "isa": os.environ.get("ATEN_CPU_CAPABILITY")}

    def refusal(self, description):
        return None

    def load(self, description, threads):
        self.prepared = 0

    def prepare(self, settings):
        self.prepared += 1

    def ready(self, work, beam):
        return lambda: [[*source[:-1], self.prepared] for source in work.sources]

    def outcome(self, decoded, work):
        return Outcome(decoded, [], sum(map(len, decoded)))

    def score(self, sources, targets):
        raise RuntimeError("no scores here")

Contestant(Echo()).serve()
"""
ENTRY = Entry(CTRANSLATE2, "float32", 1, {"batch": 32})
OTHER = Entry(CTRANSLATE2, "float32", 1, {"batch": 64})


def work_of(*sources: list[int], forced: bool = False, limit: int = 9) -> Work:
    return Work(sources=list(sources), limits=[limit] * len(sources), forced=forced, length_penalty=1.0, lines=[])


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    (tmp_path / "echo_engine.py").write_text(ENGINE, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setitem(workers.MODULES, CTRANSLATE2, "echo_engine")
    found = Worker(CTRANSLATE2, sys.executable, ISA_VARIABLES["avx2"])
    yield found
    found.close()


def test_a_worker_answers_though_its_libraries_print(worker: Worker) -> None:
    assert worker.facts["dtypes"] == ["float32"]
    assert worker.facts["isa"] == "avx2"


def test_settings_are_prepared_when_they_change(worker: Worker, tmp_path: Path) -> None:
    worker.load(tmp_path, 1, work_of([5, 2], [6, 7, 2]))
    answer = worker.run("decode", ENTRY)
    assert answer["outputs"] == [[5, 1], [6, 7, 1]]
    assert answer["num_tokens"] == 5
    assert answer["seconds"] > 0
    assert worker.run("decode", ENTRY, first=1)["outputs"] == [[5, 1]]
    assert worker.run("decode", OTHER)["outputs"][0] == [5, 2]
    assert len(worker.run("one_by_one", OTHER)["seconds"]) == 2


def test_a_worker_that_ends_is_named(worker: Worker, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="CTranslate2: its process ended with exit code 1 on score; nothing was"):
        worker.ask("score", sources=[], targets=[])


class Short:
    """Decodes one token a sentence, whatever was forced."""

    def facts(self) -> dict[str, Any]:
        return {}

    def refusal(self, description: str) -> str | None: ...

    def load(self, description: str, threads: int) -> None: ...

    def prepare(self, settings: Settings) -> None: ...

    def ready(self, work: Work, beam: int) -> Callable[[], Any]:
        return lambda: [[7] for _ in work.sources]

    def outcome(self, decoded: Any, work: Work) -> Outcome:
        return Outcome(decoded, [], len(decoded))

    def score(self, sources: list[list[int]], targets: list[list[int]]) -> list[float]:
        return []


@pytest.mark.parametrize(("limit", "is_right"), [(1, True), (3, False)])
def test_forced_outputs_must_have_taken_their_steps(limit: int, is_right: bool) -> None:
    contestant = Contestant(Short())
    contestant.load("", 1, vars(work_of([5, 2], [6, 2], forced=True, limit=limit)))
    if is_right:
        assert contestant.decode({}, 1)["num_tokens"] == 2
    else:
        with pytest.raises(ValueError, match="decoded 2 target tokens where 6 were forced"):
            contestant.decode({}, 1)


def test_batches_are_sorted_by_length() -> None:
    assert batches([3, 9, 5, 1], 2) == [[1, 2], [0, 3]]
