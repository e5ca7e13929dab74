"""The contest of decoders: who takes part with which settings, what is checked, and what the file says."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.contest.contestants import MTCLI, matching, refuse_to_end_without_mtcli
from benchmarks.contest.machine import ROOT
from benchmarks.contest.options import shown_command
from benchmarks.contest.records import Decoding, Model, Text
from benchmarks.peers.engine import Work
from benchmarks.questions.decoders import SLOTS, cpu_entries, cuda_entries
from benchmarks.questions.decoding import CHECKED, DecodingPlan, ModelContest, ask_facts
from benchmarks.questions.models import Case, line_work, sentence_lengths
from benchmarks.report.markdown import filled
from mtcli.bench.contest import ContestantError
from mtcli.config import DecodingConfig
from mtcli.errors import DataError
from mtcli.model_directory.box import IN_THE_BOX
from mtcli.model_directory.tokenizers import load_tokenizers

DTYPES = {"mtcli": ["float32"], "ct2": ["float32", "int8"], "hf": ["float32", "bfloat16"], "joeynmt": ["float32"]}
EOS = 2
MODEL = Model(
    name="tiny",
    encoder_layers=1,
    decoder_layers=1,
    d_model=8,
    ffn_dim=8,
    heads=1,
    norm="post",
    vocabulary=9,
    parameters=7,
)


def everything(**more: Any) -> list[Any]:
    return cpu_entries(DTYPES, (4, 1), **{"cores": 2, "batches": True, "lines": False, "forced": 100} | more)


def test_entries_are_unlike_each_other_and_take_turns() -> None:
    found = everything()
    assert len({entry.name for entry in found}) == len(found)
    assert [entry.short for entry in found[:4]] == ["mtcli", "ct2", "hf", "joeynmt"]
    assert [entry.name for entry in found if entry.is_reference] == ["mtcli, float32, beam 4", "mtcli, float32, greedy"]
    assert {entry.way for entry in found if entry.short == "joeynmt"} == {
        "batch 32, first 64 sentences",
        "batch 64, first 64 sentences",
    }
    ct2 = {entry.way for entry in found if entry.short == "ct2"}
    assert len(ct2) == 6 and "batch 64, 2 x 1 threads" in ct2


def test_settings_that_a_user_would_tune_are_of_one_kind() -> None:
    kinds = {entry.kind for entry in everything() if entry.short == "ct2"}
    assert len(kinds) == 2 * 2  # number types and searches
    ours = [entry for entry in everything(lines=True) if entry.short == MTCLI]
    assert len({entry.kind for entry in ours}) == len(ours) == 6


def test_one_by_one_has_no_batches_and_few_sentences_no_limit() -> None:
    assert {entry.settings.get("batch", 1) for entry in everything(batches=False)} == {1}
    assert all(entry.first is None for entry in everything(forced=64))


def test_the_reference_stays_whatever_is_asked_for() -> None:
    found = matching(everything(), ["*int8*greedy*"])
    assert {entry.short for entry in found} == {"mtcli", "ct2"}
    assert sum(entry.short == MTCLI and entry.dtype == "float32" for entry in found) == 2


def test_on_a_gpu_mtcli_by_default_comes_first() -> None:
    found = cuda_entries({"mtcli": ["float16"], "ct2": ["float16", "float32"]}, (4, 1), batches=True, most=300)
    assert [entry.name for entry in found if entry.is_reference] == [
        f"mtcli, float16, beam 4, slots {SLOTS[0]}",
        f"mtcli, float16, greedy, slots {SLOTS[0]}",
    ]
    assert found[0].is_reference and found[0].first == 300
    assert {entry.first for entry in found if entry.settings["batch"] == 1} == {16}
    assert any("no graphs" in entry.way for entry in found)
    assert len({entry.name for entry in found}) == len(found)


class FakeTeam:
    """Answers as decoders would that are all right, unless told otherwise."""

    def __init__(self, **changed: Callable[[str], Any]) -> None:
        self.changed, self.asked = changed, list[tuple[str, str, dict[str, Any]]]()

    def load(self, **model: Any) -> None:
        self.loaded = model

    def ask(self, name: str, command: str, **arguments: Any) -> Any:
        self.asked.append((name, command, arguments))
        if command in self.changed and (answer := self.changed[command](name)) is not None:
            return answer
        if command == "facts":
            return {"dtypes": DTYPES[name], "versions": {"python": "3", name: "1"}}
        if command == "score":
            return [-3.0] * CHECKED
        if command == "one_by_one":
            return {"seconds": [0.010, 0.020, 0.030]}
        count = arguments["first"] or 10
        seconds = {"mtcli": 1.0, "ct2": 0.5, "hf": 2.0}[name]
        outputs = [[5, 6, 7] if name == MTCLI else [5, 6, 7, 8]] * count
        return {
            "seconds": seconds,
            "num_tokens": 4 * count,
            "outputs": outputs,
            "texts": [],
            "log_probs": [-3.0] * count,
        }


def contest(team: Any, tmp_path: Path, **more: Any) -> ModelContest:
    work = Work(sources=[[5, EOS]] * 10, limits=[4] * 10, forced=True, length_penalty=1.0, lines=[])
    text = Text(origin="made up", sentences=10, mean_src=2.0, longest=2)
    case = Case(
        model=MODEL, text=text, description=tmp_path / "d", refusals=more.pop("refusals", {}), work=work, beams=(4, 1)
    )
    plan = DecodingPlan(
        contestants=("mtcli", "ct2", "hf"), device="cpu", rounds=2, only=(), one_by_one=False, left=lambda: 1e6
    )
    plan = dataclasses.replace(plan, **more)
    return ModelContest(plan, case, team, ask_facts(team, plan.contestants))


def test_the_fastest_setting_goes_on_and_ratios_are_to_mtcli(tmp_path: Path) -> None:
    found = contest(FakeTeam(), tmp_path)
    found.run()
    refuse_to_end_without_mtcli(found.contest.series)
    rows = found.part().rows
    ct2 = [row for row in rows if (row.contestant, row.dtype, row.search) == ("CTranslate2", "float32", "beam 4")]
    assert [row.ratio for row in ct2] == [2.0] * 6
    assert sorted(sum(figure is not None for figure in row.rounds) for row in ct2) == [1] * 5 + [2]
    assert {row.ratio for row in rows if row.contestant == MTCLI and row.way == ""} == {1.0}
    assert [one.same_greedy for one in found.part().agreement] == [CHECKED, CHECKED]


def test_a_peer_with_other_scores_gets_no_figure(tmp_path: Path) -> None:
    team = FakeTeam(score=lambda name: [-3.5] * CHECKED if name == "ct2" else None)
    found = contest(team, tmp_path)
    found.run()
    rows = [row for row in found.part().rows if row.contestant == "CTranslate2"]
    assert {(row.status, row.median) for row in rows} == {("wrong", None)}
    assert "0.12 nats a token apart" in (rows[0].why or "")
    assert {row.status for row in found.part().rows if row.contestant != "CTranslate2"} == {"right"}
    assert ("ct2", "decode") not in [
        (name, command) for name, command, asked in team.asked if asked.get("first") is None
    ]


def test_mtcli_that_scores_otherwise_than_its_network_ends_it(tmp_path: Path) -> None:
    def lying(name: str) -> Any:
        outputs = {"seconds": 1.0, "num_tokens": 4, "outputs": [[5, 6, 7]] * CHECKED, "texts": []}
        return {**outputs, "log_probs": [-4.0] * CHECKED} if name == MTCLI else None

    found = contest(FakeTeam(decode=lying), tmp_path)
    found.run()
    with pytest.raises(ContestantError, match=r"mtcli, float32, beam 4 wrong: .*0.25 nats a token apart"):
        refuse_to_end_without_mtcli(found.contest.series)


def test_a_peer_that_breaks_down_costs_its_own_figure(tmp_path: Path) -> None:
    def broken(name: str) -> Any:
        if name == "hf":
            raise ContestantError("no memory")

    found = contest(FakeTeam(decode=broken), tmp_path)
    found.run()
    assert {(row.status, row.why) for row in found.part().rows if "Face" in row.contestant} == {
        ("cannot run", "no memory")
    }


def test_who_cannot_hold_the_model_takes_no_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = contest(FakeTeam(), tmp_path, refusals={"hf": "It has no such norm."})
    assert {one.contestant.short for one in found.contest.series} == {"mtcli", "ct2"}
    assert "Hugging Face Marian takes no part with tiny: It has no such norm." in capsys.readouterr().err


def test_single_sentences_are_told_in_milliseconds(tmp_path: Path) -> None:
    found = contest(FakeTeam(), tmp_path, one_by_one=True, contestants=("mtcli",))
    found.run()
    row = found.part().rows[0]
    assert (row.median, row.mean) == (pytest.approx(20.0), pytest.approx(20.0))
    assert row.p95 == pytest.approx(29.0)


def test_lines_that_would_be_other_work_for_peers_are_refused() -> None:
    tokenizer = load_tokenizers(IN_THE_BOX).src
    options = {"longest_source": 12, "longest_output": 30}
    work = line_work(["I go home."], tokenizer, DecodingConfig(), **options)
    assert work.sources[0][-1] == tokenizer.eos_id and work.lines == ["I go home."] and not work.forced
    for line in ("", "word " * 20):
        with pytest.raises(DataError, match="Line 2 of the source has"):
            line_work(["I go home.", line], tokenizer, DecodingConfig(), **options)


def test_lengths_are_those_of_newstest_where_it_is(tmp_path: Path) -> None:
    import lzma

    path = tmp_path / "newstest2014" / "newstest2014.en-de.en.xz"
    path.parent.mkdir()
    path.write_bytes(lzma.compress(b"one two three\nfour five six seven eight nine ten\n"))
    assert sorted(sentence_lengths(tmp_path, 2, seed=1)[0]) == [4, 9]
    assert len(sentence_lengths(tmp_path, 5, seed=1)[0]) == 5
    lengths, origin = sentence_lengths(None, 400, seed=1)
    assert 20 < sum(lengths) / 400 < 35 and "log-normal" in origin
    with pytest.raises(DataError):
        sentence_lengths(tmp_path / "nowhere", 1, seed=1)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.decoding", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["base", "--contestants", "ct2"], "expected mtcli among them"),
        (["base", "--contestants", "mtcli,ctranslate"], "expected some of mtcli, ct2"),
        (["base", "--limit", "0"], "expected 1 or more"),
        (["latency", "--model", "x", "--contestants", "mtcli"], "--model and --src go together"),
        (["trained"], "the following arguments are required"),
    ],
)
def test_wrong_options_are_sentences(words: list[str], message: str) -> None:
    finished = run(*words)
    assert (finished.returncode, message in finished.stderr) == (2, True), finished.stderr


def test_files_that_are_not_there_are_sentences(tmp_path: Path) -> None:
    finished = run("base", "--contestants", "mtcli", "--data", tmp_path, "--preset", "tiny", "--vocab-size", 60)
    assert finished.returncode == 1
    assert "newstest2014" in finished.stderr and "Traceback" not in finished.stderr


@pytest.mark.slow
def test_the_box_is_measured_and_scored(tmp_path: Path) -> None:
    src, ref, out = tmp_path / "s.en", tmp_path / "s.de", tmp_path / "out.json"
    src.write_text("I go home.\nWhere is the station?\nHe is a good friend of mine.\n" * 3, encoding="utf-8")
    ref.write_text(
        "Ich gehe nach Hause.\nWo ist der Bahnhof?\nEr ist ein guter Freund von mir.\n" * 3, encoding="utf-8"
    )
    finished = run(
        *("trained", "--model", IN_THE_BOX, "--src", src, "--ref", ref, "--rounds", 1, "--out", out),
        *("--contestants", "mtcli,ct2", "--only", "mtcli, float32*", "--only", "CTranslate2, float32*batch 32, 1*"),
    )
    assert finished.returncode == 0, finished.stderr
    result = Decoding.model_validate_json(out.read_text(encoding="utf-8"))
    assert str(tmp_path) not in result.command[0]
    rows = {(row.contestant, row.search, row.way): row for row in result.parts[0].rows}
    assert rows["mtcli", "beam 5", "lines to lines"].same_text == 9
    peer = rows["CTranslate2", "beam 5", f"batch 32, 1 x {result.device.cores} threads"]
    assert (peer.status, peer.same_text) == ("right", 9)
    assert 30 < (peer.bleu or 0) <= 100
    assert "| mtcli | float32 | beam 5 | lines to lines |" in filled(
        "decoding", result=result, picture=None, every_setting=False
    )


def test_a_shown_command_does_not_tell_where_things_lie() -> None:
    words = ["base", "--data=/somewhere", "--model", "/home/me/en-de", "--out", "/tmp/x.json", "--only", "mtcli*"]
    assert shown_command("decoding", words) == (
        "python -m benchmarks.decoding base --data DATA --model en-de --only 'mtcli*'"
    )
