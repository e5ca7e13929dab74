"""The stage `translate`: who decodes, what failed processes cost, what is checked, and what rows say."""

import dataclasses
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.contest.answering import ContestantError, last_words
from benchmarks.gpu import team as processes
from benchmarks.gpu.team import Team
from benchmarks.gpu.translate import MODULES, PEERS, forced, to_load, wrongs
from benchmarks.gpu.translation.checks import Questions, failures
from benchmarks.gpu.translation.entries import FULL, TOY, Entry, entries, reference
from benchmarks.gpu.translation.figures import Figures, affordable, row
from benchmarks.gpu.translation.ours import OursOnDevice
from benchmarks.peers.engine import Work
from benchmarks.questions.decoding.contestants import CTRANSLATE2, MARIAN, MTCLI
from benchmarks.questions.decoding.description import DESCRIPTION, write_random

ENGINE = """
import os, sys, time
from benchmarks.peers.engine import Contestant, Outcome

class Moody:
    def facts(self):
        if sys.argv[1] == "absent":
            import a_module_that_is_not_there
        return {"versions": {"moody": "1"}, "dtypes": []}

    def refusal(self, description):
        return None

    def load(self, description, threads):
        self.answers = 0

    def score(self, sources, targets):
        if sources == "sleep":
            time.sleep(60)
        if sources == "fail":
            raise RuntimeError("CUDA error: out of\\nluck")
        if sources == "exit":
            os._exit(3)
        self.answers += 1
        return self.answers

Contestant(Moody()).serve()
"""
WORK = Work(sources=[[5, 2], [6, 7, 2], [8, 2]], limits=[27] * 3, forced=True, length_penalty=1.0, lines=[])


def make_team(folder: Path, modules: dict[str, str], device: str) -> Team:
    loaded = to_load(folder, WORK)
    return Team(root=folder, logs=folder / "logs", modules=modules, peers=PEERS, device=device, loaded=loaded)


@pytest.fixture
def teams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    (tmp_path / "moody_engine.py").write_text(ENGINE, encoding="utf-8")
    benchmarks = Path(processes.__file__).resolve().parents[1]
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{benchmarks}")
    made = []

    def make(device: str) -> Team:
        made.append(make_team(tmp_path, {MTCLI: "moody_engine"}, device))
        return made[-1]

    yield make
    for team in made:
        team.close()


def test_a_process_that_fails_says_why_and_is_started_again(teams: Any) -> None:
    team = teams("cpu")

    def ask(sources: str, seconds: float = 30.0) -> Any:
        return team.ask(MTCLI, "score", seconds, sources=sources, targets=[])

    assert (ask("right"), ask("right")) == (1, 2)
    with pytest.raises(ContestantError, match=r"^RuntimeError: CUDA error: out of luck$"):
        ask("fail")
    assert ask("right") == 1
    with pytest.raises(ContestantError, match="exit code 3 on score"):
        ask("exit")
    assert ask("right") == 1
    with pytest.raises(ContestantError, match="score took longer than 0 seconds"):
        ask("sleep", 0.2)
    assert team.versions == {MTCLI: {"moody": "1"}}
    assert team.broken == {}


def test_what_fails_again_and_again_takes_no_part_any_more(teams: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STARTS", 2)
    team = teams("cpu")
    for _ in range(2):
        with pytest.raises(ContestantError):
            team.ask(MTCLI, "score", 30.0, sources="exit", targets=[])
    assert "exit code 3" in team.broken[MTCLI]
    with pytest.raises(ContestantError, match="exit code 3"):
        team.ask(MTCLI, "score", 30.0, sources="right", targets=[])


def test_a_contestant_that_is_not_installed_is_asked_once(teams: Any) -> None:
    team = teams("absent")
    with pytest.raises(ContestantError, match="No module named 'a_module_that_is_not_there'"):
        team.ask(MTCLI, "score", 30.0, sources="right", targets=[])
    assert "a_module_that_is_not_there" in team.broken[MTCLI]
    assert team.versions == {}


def test_last_words_are_the_errors() -> None:
    traceback = 'Traceback (most recent call last):\n  File "x.py", line 1\n    call()\nValueError: it\nbroke\n'
    assert last_words(f"warning\n{traceback}\n{traceback.replace('it', 'all')}") == "ValueError: all broke"
    assert last_words("only a warning\n") == ""


def test_everything_is_measured_once_and_the_default_first() -> None:
    found = entries(FULL, (4, 1))
    assert len(found) == len(set(found)) == len({entry.name for entry in found})
    assert found[0].is_default
    assert found[0] == reference(found, 4)
    ours = {(one.beam, one.independent, one.graphs, one.size) for one in found if one.contestant == MTCLI}
    every = {(beam, *way, size) for beam in (4, 1) for way in BOTH for size in (1, 16, 64, 256, 1024)}
    assert every <= ours
    assert {one.size for one in found if one.contestant == MARIAN} == {32, 64, 256}
    assert {one.attention for one in found} == {"auto", "sdpa", "padded"}
    assert all(one.sentences >= 4 * one.size for one in found)
    assert FULL.most_sentences == 4096
    assert TOY.most_sentences == 4


BOTH = [(independent, graphs) for independent in (True, False) for graphs in (True, False)]


def test_settings_are_the_engines() -> None:
    ours = Entry(contestant=MTCLI, beam=1, size=16, sentences=64, independent=False)
    assert ours.settings == {
        "dtype": "float16",
        "slots": 16,
        "independent": False,
        "graphs": True,
        "attention": "auto",
    }
    peer = Entry(contestant=CTRANSLATE2, beam=1, size=32, sentences=128)
    assert peer.settings == {"dtype": "float16", "batch": 32, "inter_threads": 1, "intra_threads": 1}


@pytest.fixture
def loaded(tmp_path: Path) -> OursOnDevice:
    write_random(tmp_path, "tiny", 20, seed=1)
    ours = OursOnDevice()
    ours.load(str(tmp_path / DESCRIPTION), torch.get_num_threads())
    return ours


SETTINGS = {"dtype": "float32", "slots": 3, "independent": False, "graphs": False, "attention": "auto"}


def test_a_decoder_has_the_slots_that_were_asked_for(loaded: OursOnDevice) -> None:
    assert loaded.slots(SETTINGS, 2, dataclasses.asdict(WORK)) == 3


def test_graphs_that_a_gpu_does_not_make_are_missed(loaded: OursOnDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(ValueError, match="makes no CUDA graphs"):
        loaded.slots(SETTINGS | {"graphs": True}, 2, dataclasses.asdict(WORK))


def test_sentences_begin_again_where_there_are_too_few() -> None:
    work = forced(WORK, 5, 9)
    assert work.sources == [[5, 2], [6, 7, 2], [8, 2], [5, 2], [6, 7, 2]]
    assert work.limits == [9] * 5
    assert work.forced


class Answers:
    """A team whose mtcli finds what it is told to."""

    def __init__(self, **tokens: int) -> None:
        self._tokens = tokens

    def ask(self, name: str, command: str, seconds: float, **arguments: Any) -> Any:
        if name == MARIAN:
            raise ContestantError("it is not installed")
        sources = arguments.get("sources") or arguments["work"]["sources"]
        if command == "score":
            return [-1.0 * len(source) + self._tokens.get(name, 0) for source in sources]
        settings = arguments["settings"]
        extra = self._tokens.get("alone", 0) if arguments["alone"] else 0
        extra += 0 if settings["graphs"] else self._tokens.get("bare", 0)
        lost = self._tokens.get(settings["attention"], 0)
        return [[[9 + extra], -1.0 * len(source) - lost] for source in sources]


def asked(**tokens: int) -> list[dict[str, Any]]:
    team: Any = Answers(**tokens)
    return list(Questions(team=team, work=WORK, slots=2, beams=(4, 1), seconds=1.0).all())


def failed(**tokens: int) -> set[str]:
    return {one["check"] for one in asked(**tokens) if one["passed"] is False}


def test_checks_find_what_differs() -> None:
    assert failed() == set()
    assert failed(bare=1) == {"graphs"}
    assert failed(alone=1) == {"independence"}
    assert failed(sdpa=1) == {"scores"}
    assert failed(CTranslate2=1) == {"model"}


def test_a_score_that_is_no_number_is_wrong() -> None:
    assert failed(CTranslate2=float("nan")) == {"model"}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tokens", "entry", "checks"),
    [
        ({"bare": 1}, {}, ["graphs"]),
        ({"bare": 1}, {"graphs": False}, []),
        ({"alone": 1}, {}, ["independence"]),
        ({"alone": 1}, {"independent": False}, []),
        ({"sdpa": 1}, {}, []),
        ({"sdpa": 1}, {"attention": "sdpa", "independent": False, "graphs": False}, ["scores"]),
        ({"CTranslate2": 1}, {}, []),
        ({"CTranslate2": 1}, {"contestant": CTRANSLATE2}, ["model"]),
        ({}, {"contestant": MARIAN}, ["model"]),  # there was no answer
    ],
)
def test_a_check_covers_what_it_is_about(tokens: dict[str, int], entry: dict[str, Any], checks: list[str]) -> None:
    one = Entry(**{"contestant": MTCLI, "beam": 4, "size": 2, "sentences": 8} | entry)
    assert [each["check"] for each in failures(asked(**tokens), one)] == checks


FIRST = Entry(contestant=MTCLI, beam=4, size=64, sentences=256)
SECOND = dataclasses.replace(FIRST, size=16)


def test_ratios_are_taken_within_rounds() -> None:
    ours = Figures(rates={0: 100.0, 1: 200.0, 2: 100.0}, slots=64)
    theirs = Figures(rates={1: 100.0, 2: 40.0})
    found = row(dataclasses.replace(FIRST, contestant=MARIAN), theirs, ours)
    assert found["ratio"] == pytest.approx(0.45)
    assert (found["median"], found["min"], found["max"], found["rounds"]) == (70.0, 40.0, 100.0, 2)
    assert row(FIRST, ours, ours)["step_ms"] == pytest.approx(640.0)


def test_what_is_wrong_keeps_its_figures_and_is_compared_with_nothing() -> None:
    wrong = Figures(rates={0: 100.0}, why="graphs: 1 of 2 are the same", wrong=True)
    right = Figures(rates={0: 50.0})
    found = row(FIRST, wrong, right)
    assert (found["status"], found["median"], found["ratio"]) == ("wrong", 100.0, None)
    assert row(SECOND, right, wrong)["ratio"] is None


def test_latencies_are_those_of_all_rounds() -> None:
    alone = dataclasses.replace(FIRST, size=1, one_by_one=True)
    found = row(alone, Figures(rates={0: 1000.0}, latencies=[0.01, 0.02, 0.03], slots=256), Figures())
    assert (found["p50_ms"], found["step_ms"]) == (20.0, 1.0)
    assert found["p95_ms"] == pytest.approx(29.0)


def test_rounds_go_on_with_what_the_time_suffices_for() -> None:
    third, fourth = (dataclasses.replace(FIRST, size=size) for size in (1, 2))
    figures = {
        FIRST: Figures(rates={0: 1.0}, cost=4.0),
        SECOND: Figures(rates={0: 1.0}, cost=4.0, why="it broke"),
        third: Figures(rates={0: 1.0}, cost=5.0),
        fourth: Figures(rates={0: 1.0}, cost=5.0),
    }
    assert affordable(list(figures), figures, 10.0) == [FIRST, third]
    assert affordable(list(figures), figures, 3.0) == []


def test_mtcli_must_be_right_and_peers_may_be_missing() -> None:
    head = {"search": "greedy", "way": "no graphs", "size": 1, "why": "it broke"}
    record = {
        "checks": [
            {"check": "model", "contestant": CTRANSLATE2, "beam": 1, "passed": None, "detail": "no answer"},
            {"check": "graphs", "contestant": MTCLI, "beam": 4, "passed": False, "detail": "1 of 2 are the same"},
        ],
        "rows": [
            {"contestant": MARIAN, "status": "cannot run"} | head,
            {"contestant": MTCLI, "status": "right"} | head,
            {"contestant": MTCLI, "status": "cannot run"} | head,
        ],
    }
    assert wrongs(record) == [
        "graphs, mtcli, beam 4: WRONG: 1 of 2 are the same",
        "mtcli, greedy, no graphs, 1: it broke",
    ]


def test_the_interpreter_of_the_peers_is_the_one_that_was_made_for_them(tmp_path: Path) -> None:
    team = make_team(tmp_path, MODULES, "cpu")
    assert team._python(MARIAN)[0] == sys.executable
    python = tmp_path / ".venv-peers" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    path = os.pathsep.join([str(tmp_path / "benchmarks"), str(tmp_path)])
    assert team._python(MARIAN) == (str(python), team._python(MTCLI)[1] | {"PYTHONPATH": path})
    assert team._python(MTCLI)[0] == sys.executable
