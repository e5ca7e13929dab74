"""`mtcli check`: what it reads, how it reports, how it ends."""

import json
import lzma
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mtcli.cli.main import app

SOURCE = "There are 12 dogs.\nA man walks.\nSee https://example.com.\n"
TARGET = "Dort sind 13 Hunde.\nEin Mann geht.\nSiehe die Seite.\n"
COUNTED = "3 lines checked, 2 flagged (66.7%): number 1, url 1.\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.en").write_text(SOURCE, encoding="utf-8")
    Path("a.de").write_text(TARGET, encoding="utf-8")


def run(*arguments: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(app, ["check", *arguments], input=stdin)


FILES = ("--src", "a.en", "--tgt", "a.de")


def test_text_goes_to_stdout_and_the_count_to_stderr() -> None:
    result = run(*FILES)
    assert (result.exit_code, result.stderr) == (0, COUNTED)
    assert [line for line in result.stdout.splitlines() if line.startswith("line")] == ["line 1", "line 3"]
    assert "  target  Dort sind ⟦13⟧ Hunde.\n" in result.stdout


def test_flags_fail_where_they_are_to() -> None:
    assert run(*FILES, "--fail-on-flags").exit_code == 1
    assert run(*FILES, "--fail-on-flags", "--only", "loop,echo").exit_code == 0


def test_a_table_and_json_lines_say_the_same() -> None:
    expected = json.loads(run(*FILES, "--json").stdout)["lines"]
    rows = list(zip(SOURCE.splitlines(), TARGET.splitlines(), strict=True))
    table = "".join(f"{source}\t{target}\tmore\n" for source, target in rows)
    objects = "".join(json.dumps({"source": source, "translation": target}) + "\n" for source, target in rows)
    for option, text in (("--tsv", table), ("--jsonl", objects)):
        result = run(option, "-", "--from", "en", "--to", "de", "--json", stdin=text)
        assert json.loads(result.stdout)["lines"] == expected
        assert result.stderr == COUNTED


def test_what_translate_writes_brings_its_scores() -> None:
    best = {"text": "Ein Hund.", "score": -9.0, "log_prob": -27.0, "num_tokens": 3}
    line = json.dumps({"id": 0, "source": "A dog.", "translation": "Ein Hund.", "n_best": [best]})
    result = run("--jsonl", "-", "--from", "en", "--to", "de", stdin=line + "\n\n")
    assert "low-score: the model gave it -9.00 a token, less than -1.50" in result.stdout
    assert result.stderr == "1 line checked, 1 flagged (100.0%): low-score 1.\n"


def test_a_report_is_a_file_of_its_own() -> None:
    for kind, start in (("--json", "{"), ("--html", "<!doctype html>"), ("", "line 1")):
        result = run(*FILES, *filter(None, [kind]), "--report", "out", "--force", "--quiet")
        assert (result.exit_code, result.output) == (0, "")
        assert Path("out").read_text(encoding="utf-8").startswith(start)
    refused = run(*FILES, "--report", "out")
    assert refused.exit_code == 1 and "exists already" in refused.stderr


def test_compressed_files_and_byte_order_marks_change_nothing() -> None:
    Path("b.en.xz").write_bytes(lzma.compress(SOURCE.replace("\n", "\r\n").encode()))
    Path("b.de").write_bytes(("\ufeff" + TARGET).encode())
    result = run("--src", "b.en.xz", "--tgt", "b.de")
    assert (result.stdout, result.stderr) == (run(*FILES).stdout, COUNTED)


def test_a_side_may_come_from_stdin() -> None:
    result = run("--src", "a.en", "--tgt", "-", "--to", "de", stdin=TARGET)
    assert (result.stdout, result.stderr) == (run(*FILES).stdout, COUNTED)


def test_languages_that_are_not_given_are_asked_for() -> None:
    Path("a.txt").write_text(SOURCE, encoding="utf-8")
    result = run("--src", "a.txt", "--tgt", "a.de")
    assert result.stderr.startswith("Languages not given: ") and result.stderr.endswith(COUNTED)
    assert "Languages" not in run("--src", "a.txt", "--tgt", "a.de", "--from", "en").stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "Give --src F with --tgt F, or --tsv F, or --jsonl F."),
        (("--src", "a.en"), 2, "Give --src F with --tgt F"),
        ((*FILES, "--tsv", "a.en"), 2, "Give --src F with --tgt F"),
        (("--tsv", "a", "--jsonl", "b"), 2, "Give --src F with --tgt F"),
        (("--src", "-", "--tgt", "-"), 2, "cannot both come from standard input"),
        ((*FILES, "--json", "--html"), 2, "--json and --html contradict each other"),
        ((*FILES, "--only", "loops"), 2, "--only loops: expected some of empty, invented, loop"),
        ((*FILES, "--from", "english language"), 2, "--from english language: expected the code of a language"),
        (("--src", "no.en", "--tgt", "a.de"), 1, "no.en"),
        (("--tsv", "a.en"), 1, "a.en:1: no tab on the line. Expected source<TAB>target."),
        (("--jsonl", "a.en"), 1, "a.en:1: "),
        ((*FILES, "--calibration", "a.en"), 1, "a.en does not say what is usual in translations"),
        ((*FILES, "--report", "no/where"), 1, "the directory no does not exist"),
        ((*FILES, "--calibrate", "c.json"), 1, "3 pairs have text on both sides; 100 are needed"),
    ],
)
def test_what_is_wrong_is_said(arguments: tuple[str, ...], code: int, message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == code
    assert message in " ".join(result.stderr.split())
    assert not Path("c.json").exists()


@pytest.mark.parametrize(("longer", "shorter"), [("a.en", "a.de"), ("a.de", "a.en")])
def test_sides_of_different_length_leave_no_report(longer: str, shorter: str) -> None:
    with Path(longer).open("a", encoding="utf-8") as stream:
        stream.write("One more.\n")
    result = run(*FILES, "--report", "out")
    assert result.exit_code == 1
    assert f"{longer} goes on where {shorter} ends: line 4 has no partner." in result.stderr
    assert not Path("out").exists()


def test_what_is_usual_is_learnt_and_used() -> None:
    letters = "".join(f"{'lang ' * (5 + number % 7)}{number}" + "\n" for number in range(120))
    Path("c.en").write_text(letters, encoding="utf-8")
    Path("c.de").write_text(letters.replace("lang ", "langlang "), encoding="utf-8")
    assert run("--src", "c.en", "--tgt", "c.de", "--calibrate", "checking.json").output == ""
    content = json.loads(Path("checking.json").read_text(encoding="utf-8"))
    assert 0.5 < content["lengths"]["mean"] < 0.7 and content["full_stops"]
    Path("d.en").write_text("A man walks in the park.\n", encoding="utf-8")
    Path("d.de").write_text("Ein Mann geht im Park\n", encoding="utf-8")
    files = ("--src", "d.en", "--tgt", "d.de")
    assert "none flagged" in run(*files).stderr
    for path in ("checking.json", "."):
        assert "too-short 1, end-punctuation 1." in run(*files, "--calibration", path).stderr


def test_an_empty_file_has_nothing_to_flag() -> None:
    Path("e.en").write_text("", encoding="utf-8")
    Path("e.de").write_text("", encoding="utf-8")
    result = run("--src", "e.en", "--tgt", "e.de", "--json")
    assert json.loads(result.stdout)["lines"] == []
    assert result.stderr == "0 lines checked, none flagged.\n"


def test_half_a_surrogate_pair_is_reported_all_the_same() -> None:
    line = '{"source": "A dog \\ud800 and 55 cats.", "translation": "Ein Hund \\ud800 und 66 Katzen."}\n'
    for kind in ("--json", "--html", "--quiet"):
        result = run("--jsonl", "-", kind, stdin=line)
        assert result.exit_code == 0, result.output
        assert "d800" in result.stdout
