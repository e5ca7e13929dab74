"""Documents through the command line: whole, resumed after a kill, reported on, and refused with a sentence."""

import json
import re
import signal
from pathlib import Path

import polib
import pytest
from support.command import mtcli, succeed
from support.killing import committed_lines, end_stopped, stopped_before, visible_files

SENTENCES = ("The dog is black.", "Where is my book?", "%d files are in {folder}.", "I live in a big house.", "123")


def catalogue(path: Path, count: int = 2000) -> Path:
    """A catalogue of messages, one of ten without anything to translate."""
    entries = [f'msgctxt "{number}"\nmsgid "{SENTENCES[number % 5]} {number}"\nmsgstr ""\n' for number in range(count)]
    path.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n' + "\n".join(entries))
    return path


def translate(source: Path, output: Path, *options: str | Path) -> list[str]:
    return ["translate", str(source), "-o", str(output), "--greedy", "--device", "cpu", *map(str, options)]


def test_a_catalogue_keeps_everything_but_its_words(tmp_path: Path) -> None:
    source, output = catalogue(tmp_path / "app.po", 30), tmp_path / "de.po"
    done = mtcli(*translate(source, output, "--report", tmp_path / "report.json"))
    assert done.returncode == 0, done.stderr.decode()
    assert "30 segments: " in done.stderr.decode()
    before, after = polib.pofile(str(source)), polib.pofile(str(output))
    assert [(entry.msgctxt, entry.msgid) for entry in before] == [(entry.msgctxt, entry.msgid) for entry in after]
    for entry in after:
        assert bool(entry.msgstr) != entry.msgid.startswith("123")  # gettext shows the message itself
        assert re.findall(r"%d|\{folder\}", entry.msgid) == sorted(re.findall(r"%d|\{folder\}", entry.msgstr))
    assert after.metadata["Language"] == "de"
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(report["segments"]) == 30
    assert sum(report["outcomes"].values()) == 30
    assert all(one["protected"] == ["%d", "{folder}"] for one in report["segments"] if "%d" in one["source"])


def test_a_killed_job_goes_on_and_writes_the_same_bytes(tmp_path: Path) -> None:
    source = catalogue(tmp_path / "app.po")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for directory in (whole, killed):
        directory.mkdir()
    succeed(*translate(source, whole / "de.po", "--report", whole / "report.txt"))
    command = translate(source, killed / "de.po", "--report", killed / "report.txt")
    code, _ = end_stopped(stopped_before(r"\.journal$", 2, command), signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert not visible_files(killed)
    assert 0 < committed_lines(killed) < 2000
    again = mtcli(*command)
    assert again.returncode == 0, again.stderr.decode()
    assert "Going on after line" in again.stderr.decode()
    assert "of them by an earlier run" in again.stderr.decode()
    assert visible_files(killed) == visible_files(whole)
    assert "up to date" in mtcli(*command).stderr.decode()
    source.write_text(source.read_text() + '\nmsgid "One more."\nmsgstr ""\n')
    assert "the input has changed" in mtcli(*command, "--force").stderr.decode() or "One more" in (
        (killed / "de.po").read_text()
    )


def test_several_documents_into_a_directory_and_one_through_pipes(tmp_path: Path) -> None:
    catalogue(tmp_path / "a.po", 6)
    (tmp_path / "b.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nWhere is my book?\n")
    out = tmp_path / "out"
    out.mkdir()
    succeed("translate", tmp_path / "a.po", tmp_path / "b.srt", "--output-dir", out)
    assert set(visible_files(out)) == {"a.po", "b.srt"}
    assert (out / "b.srt").read_text() == "1\n00:00:01,000 --> 00:00:02,000\nWo ist mein Buch?\n"
    piped = succeed("translate", "--input-format", "srt", "--quiet", stdin=(tmp_path / "b.srt").read_bytes())
    assert piped == (out / "b.srt").read_text()
    by_line = succeed("translate", "--input-format", "text", tmp_path / "b.srt", "--quiet")
    assert by_line.splitlines()[2] == "Wo ist mein Buch?"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["a.po", "-o", "a.srt"], "are of two kinds"),
        (["a.po", "b.txt", "--output-dir", "."], "b.txt is read as lines, and other inputs are documents"),
        (["a.po", "--n-best", "2"], "--n-best is for lines"),
        (["b.txt", "--protect", "x"], "--protect is for documents"),
        (["a.po", "--protect", "("], "no regular expression"),
        (["a.po", "--input-format", "pox"], "expected one of text, tsv, jsonl"),
        (["a.po", "c.po", "-o", "x.po"], "a document needs an output of its own"),
    ],
)
def test_what_does_not_fit_is_a_sentence(options: list[str], said: str, tmp_path: Path) -> None:
    catalogue(tmp_path / "a.po", 2)
    catalogue(tmp_path / "c.po", 2)
    (tmp_path / "b.txt").write_text("line\n")
    done = mtcli("translate", *(str(tmp_path / one) if (tmp_path / one).exists() else one for one in options))
    assert done.returncode == 2
    assert said in done.stderr.decode()


def test_a_damaged_document_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "a.po"
    source.write_bytes(b'msgid "caf\xe9"\nmsgstr ""\n')
    done = mtcli("translate", source, "-o", tmp_path / "b.po")
    assert done.returncode == 1
    assert f"{source}:1" in done.stderr.decode()
    assert {path.name for path in tmp_path.iterdir()} == {"a.po"}


@pytest.mark.parametrize("suffix", [".tsv", ".jsonl"])
def test_segments_go_out_and_come_back(suffix: str, tmp_path: Path) -> None:
    source = tmp_path / "film.srt"
    source.write_text("1\n00:00:01,000 --> 00:00:02,000\nThe <i>dog</i>\n\n2\n00:00:02,000 --> 00:00:03,000\nTwo.\n")
    table = tmp_path / f"film{suffix}"
    succeed("extract", source, "-o", table)
    assert "The <1>dog</1>" in table.read_text()
    edited = table.read_text().replace("dog</1>\t\t", "dog</1>\tDer <1>Hund</1>\t")
    table.write_text(edited.replace('dog</1>", "target": ""', 'dog</1>", "target": "Der <1>Hund</1>"'))
    filled = mtcli("fill", source, table, "-o", tmp_path / "out.srt")
    assert filled.returncode == 0, filled.stderr.decode()
    assert "1 segments filled, 1 left" in filled.stderr.decode()
    assert (tmp_path / "out.srt").read_text() == source.read_text().replace("The <i>dog</i>", "Der <i>Hund</i>")
    table.write_text(table.read_text().replace("<1>Hund</1>", "Hund</1>"))
    broken = mtcli("fill", source, table, "-o", tmp_path / "broken.srt")
    assert broken.returncode == 1
    assert "it has the codes </1>, and the source </1> <1>" in broken.stderr.decode()
    assert not (tmp_path / "broken.srt").exists()
    table.write_text("nothing")
    assert "holds no segments" in mtcli("fill", source, table, "-o", tmp_path / "broken.srt").stderr.decode()
