"""Every option of `mtcli translate` reaches the job, or the terminal that tells of it."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mtcli.cli import translate
from mtcli.cli.main import app
from mtcli.cli.terminal import Terminal
from mtcli.jobs import document_run, run
from mtcli.jobs.document_job import DocumentJob
from mtcli.jobs.job import FileJob

Found = Callable[[FileJob], Any]
# Of every parameter of the command: how it is given, where it arrives, as what.
OPTIONS: dict[str, tuple[str, Found, Any]] = {
    "model": ("-m other", lambda job: job.model, Path("other")),
    "files": ("a b", lambda job: job.inputs, [Path("a"), Path("b")]),
    "input_file": ("-i in", lambda job: job.inputs, [Path("in")]),
    "output": ("-o out", lambda job: job.outputs, [Path("out")]),
    "output_dir": ("--output-dir . a", lambda job: job.outputs, [Path("a")]),
    "beam": ("-b 7", lambda job: job.options.beam_size, 7),
    "greedy": ("--greedy", lambda job: job.options.beam_size, 1),
    "n_best": ("--n-best 3 --format tsv", lambda job: job.options.n_best, 3),
    "length_penalty": ("--length-penalty 0.3", lambda job: job.options.length_penalty, 0.3),
    "batch_tokens": ("--batch-tokens 99", lambda job: job.options.batch_tokens, 99),
    "sentences": ("--sentences keep", lambda job: job.options.sentences, "keep"),
    "no_repair": ("--no-repair", lambda job: job.options.repair, False),
    "flag": ("--flag --format tsv", lambda job: job.flag, True),
    "report": ("--report r.json", lambda job: job.report, Path("r.json")),
    "fail_on_flags": ("--fail-on-flags", lambda job: job.options.flag, True),
    "assignments": (
        "--set decoding.stop=certain --set decoding.max_length_extra=9",
        lambda job: job.options.settings,
        {"stop": "certain", "max_length_extra": 9},
    ),
    "input_format": ("--input-format tsv", lambda job: job.input_format, "tsv"),
    "output_format": ("--format moses", lambda job: job.output_format, "moses"),
    "alignments": ("--alignments links", lambda job: job.alignments, Path("links")),
    "on_bad_utf8": ("--on-bad-utf8 replace", lambda job: job.on_bad_utf8, "replace"),
    "stats": ("--stats stats", lambda job: job.stats, Path("stats")),
    "verify": ("--verify 5", lambda job: job.verify, 5),
    "fast": ("--fast", lambda job: job.compute.fast, True),
    "engine": ("--engine torch", lambda job: job.compute.engine, "torch"),
    "device": ("--device cuda:3", lambda job: job.compute.device, "cuda:3"),
    "dtype": ("--dtype float16", lambda job: job.compute.dtype, "float16"),
    "attention": ("--attention padded", lambda job: job.compute.attention, "padded"),
    "force": ("--force", lambda job: job.force, True),
}
OF_DOCUMENTS: dict[str, tuple[str, Callable[[DocumentJob], Any], Any]] = {
    "protect": ("--protect x+ --protect y", lambda job: job.documents.protect, ("x+", "y")),
    "source_language": ("--from en", lambda job: job.reading.source_language, "en"),
    "target_language": ("--to de", lambda job: job.reading.target_language, "de"),
    "fuzzy": ("--fuzzy", lambda job: job.reading.fuzzy, True),
    "wrap": ("--wrap 60", lambda job: job.reading.wrap, 60),
    "report": ("--report r.txt", lambda job: job.report, Path("r.txt")),
    "no_repair": ("--no-repair", lambda job: job.options.repair, False),
    "output": ("-o b.po", lambda job: job.outputs, [Path("b.po")]),
    "dtype": ("--dtype int8", lambda job: job.compute.dtype, "int8"),
    "model": ("-m other", lambda job: job.model, Path("other")),
    "force": ("--force", lambda job: job.force, True),
}
APART = {"quiet", "traceback"}  # what is told, not what is done


def called_with(arguments: str, monkeypatch: pytest.MonkeyPatch) -> tuple[FileJob, Terminal]:
    """What the command hands on."""
    calls: list[tuple[FileJob, Terminal]] = []
    monkeypatch.setattr(run, "translate_files", lambda job, reporter: calls.append((job, reporter)))
    finished = CliRunner().invoke(app, ["translate", *arguments.split()])
    assert finished.exit_code == 0, finished.output
    return calls[0]


def test_no_option_is_left_out_above() -> None:
    assert OPTIONS.keys() | OF_DOCUMENTS.keys() | APART == inspect.signature(translate.command).parameters.keys()


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_reaches_the_job(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments, found, value = OPTIONS[name]
    assert found(called_with("", monkeypatch)[0]) != value
    assert found(called_with(arguments, monkeypatch)[0]) == value


@pytest.mark.parametrize("name", OF_DOCUMENTS)
def test_an_option_reaches_the_job_of_a_document(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[DocumentJob] = []
    monkeypatch.setattr(document_run, "translate_documents", lambda job, reporter: jobs.append(job))
    arguments, found, value = OF_DOCUMENTS[name]
    for given in ("", arguments):
        finished = CliRunner().invoke(app, ["translate", "a.po", *given.split()])
        assert finished.exit_code == 0, finished.output
    assert [found(job) == value for job in jobs] == [False, True]


def test_quiet_reaches_the_terminal(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    for arguments, told in (("", "a\nb\n"), ("--quiet", "b\n")):
        terminal = called_with(arguments, monkeypatch)[1]
        capfd.readouterr()
        terminal.say("a")
        terminal.warn("b")
        assert capfd.readouterr().err == told
