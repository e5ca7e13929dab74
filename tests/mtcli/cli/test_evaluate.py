"""`mtcli evaluate`: what it reads, several references, several systems."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mtcli.cli.main import app
from mtcli.model_directory.box import IN_THE_BOX

LINES = ("the cat sat on the mat today", "a dog runs in the park now")
OTHERS = ("the cat is on the mat today", "a dog runs in the garden now")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, lines in (("first", LINES), ("second", OTHERS)):
        Path(name).write_bytes("".join(f"{line}\n" for line in lines).encode())


def evaluate(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["evaluate", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def report(*arguments: str) -> Any:
    return json.loads(evaluate(*arguments, "--json"))


@pytest.mark.parametrize("side", ["hyp", "ref"])
@pytest.mark.parametrize(
    ("start", "end", "last"), [("\ufeff", "\n", "\n"), ("", "\r\n", "\r\n"), ("\ufeff", "\r\n", ""), ("", "\n", "")]
)
def test_what_only_ends_or_marks_lines_costs_nothing(side: str, start: str, end: str, last: str) -> None:
    Path("marked").write_bytes(f"{start}{end.join(LINES)}{last}".encode())
    paths = {"hyp": "first", "ref": "first"} | {side: "marked"}
    found = report("--hyp", paths["hyp"], "--ref", paths["ref"])
    assert (found["bleu"], found["chrf"], found["ter"]) == (pytest.approx(100), 100, 0)
    assert found["lines"] == 2


def test_a_line_separator_ends_no_line() -> None:
    Path("marked").write_text("\u2028".join(LINES) + "\nx\n")
    assert report("--hyp", "marked", "--ref", "first")["lines"] == 2


def test_the_source_is_read_so_too() -> None:
    texts = []
    for name, start, end in (("plain", "", "\n"), ("marked", "\ufeff", "\r\n")):
        Path(name).write_bytes(f"{start}Thank you.{end}Where is the station?{end}".encode())
        texts.append(report("-m", str(IN_THE_BOX), "--src", name, "--ref", "first", "--device", "cpu")["chrf"])
    assert texts[0] == texts[1] > 0


def test_several_references() -> None:
    Path("mixed").write_text(f"{LINES[0]}\n{OTHERS[1]}\n")
    alone = report("--hyp", "mixed", "--ref", "first")
    together = report("--hyp", "mixed", "--ref", "first", "--ref", "second")
    assert alone["bleu"] < together["bleu"] == pytest.approx(100)
    assert all("|nrefs:2|" in signature for signature in together["signatures"].values())
    assert together["set"] == "first, second"
    assert set(together) == set(alone)


def test_several_systems_have_a_row_each() -> None:
    printed = evaluate("--hyp", "second", "--hyp", "first", "--ref", "first")
    header, *rows = (line.split("\t") for line in printed.splitlines())
    assert [row[0] for row in rows] == ["second", "first"]
    for row in rows:
        single = report("--hyp", row[0], "--ref", "first")
        assert row[1:] == [f"{single[name]:.2f}" for name in ("bleu", "chrf", "ter")]
        assert header == ["system", *single["signatures"].values()]


def test_several_systems_are_a_list_in_json() -> None:
    found = report("--hyp", "second", "--hyp", "first", "--ref", "first")
    assert set(found) == {"set", "beam", "systems", "seconds"}
    assert [system["system"] for system in found["systems"]] == ["second", "first"]
    for system in found["systems"]:
        single = report("--hyp", system["system"], "--ref", "first")
        assert system == {"system": system["system"], **{name: single[name] for name in system if name != "system"}}


def test_one_system_is_an_object_with_its_scores() -> None:
    found = report("--hyp", "first", "--ref", "first")
    assert list(found) == ["set", "beam", "bleu", "chrf", "ter", "signatures", "lines", "seconds"]
    assert (found["set"], found["beam"], found["lines"]) == ("first", None, 2)
