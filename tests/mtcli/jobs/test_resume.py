"""A translation killed at any moment goes on with the same command, and ends with the same bytes."""

import errno
import gzip
import json
import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.patience import wait_until
from support.pipes import job_for

from mtcli.checking import Finding, Severity
from mtcli.decoding.options import TranslateOptions
from mtcli.errors import DataError, MtcliError
from mtcli.formats.reader import Reader
from mtcli.jobs import pipeline
from mtcli.jobs import resume as resuming
from mtcli.jobs.identity import job_key
from mtcli.jobs.job import FileJob
from mtcli.jobs.pipeline import run
from mtcli.jobs.resume import Resumable, can_resume, resumable
from mtcli.jobs.tally import Tally
from mtcli.translation import Candidate, Translation

Fork = multiprocessing.get_context("fork")
TEXT = b"one\ntwo\r\n\nthree four\nfive"


class Attempt:
    """One run of a job with a translator that writes capitals; what it translated, aligned and said is kept."""

    def __init__(self, job: FileJob, **options: int) -> None:
        self.job = replace(job, model=job.inputs[0].parent / "model", options=TranslateOptions(**options))
        self.translated: list[str] = []
        self.aligned: list[list[str]] = []
        self.said: list[str] = []
        self.tally = Tally()
        self.was_done = False

    def translate(self, lines: Iterable[str]) -> Iterator[Translation]:
        for line in lines:
            self.translated.append(line)
            parts = tuple(line.split())
            found = tuple(Finding(name, Severity.ERROR, "found") for name in ("loop", "echo") if name[1] in line)
            yield Translation(line, (Candidate(line.upper(), -1.5, -3.0, 2, parts),), parts, found, "o" * ("o" in line))

    def align(self, translations: Sequence[Translation]) -> list[str]:
        self.aligned.append([translation.source for translation in translations])
        return [" ".join(f"{place}-{place}" for place, _ in enumerate(line.source_parts)) for line in translations]

    def run(self, *, force: bool = False, verify: int = 0) -> "Attempt":
        """To the end, as `mtcli translate` does it."""
        job = self.job
        written = [path for path in job.written if path]
        assert can_resume(job.inputs, written)
        with resumable(written, lambda: job_key(job), force=force, verify=verify, say=self.said.append) as files:
            self.was_done = files.is_done
            if not files.is_done:
                with files.committing():
                    self.pass_over(files)
                    files.finish(verify)
        return self

    def pass_over(self, files: Resumable) -> None:
        job = self.job
        align = self.align if job.alignments else None
        run(job, Reader(job.inputs, job.input_format), self.translate, align, self.tally, files)
        if job.stats:
            files.write(job.stats, b"%d lines\n" % self.tally.lines)


@pytest.fixture(autouse=True)
def _every_line_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the translating thread, so that the moments are the same each time; the other thread sleeps."""
    reached = Resumable.reached

    def reach_and_commit(self: Resumable, *point: Any) -> None:
        reached(self, *point)
        self._commit()

    monkeypatch.setattr(resuming, "_PERIOD", 600.0)
    monkeypatch.setattr(Resumable, "reached", reach_and_commit)
    monkeypatch.setattr(pipeline, "_ALIGNED", 2)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # a kill does not need it, and it takes long


def make_inputs(directory: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """The inputs, and a model beside them; made again, they are the same."""
    (directory / "model").mkdir(exist_ok=True)
    (directory / "model" / "model.safetensors").write_bytes(b"weights")
    for name, content in contents.items():
        path = directory / name
        path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return [directory / name for name in contents]


def one_file(directory: Path) -> FileJob:
    return job_for(make_inputs(directory, {"in": TEXT}), [directory / "out"])


def everything(directory: Path) -> FileJob:
    """Four inputs with an output each, one compressed, one empty; alignments and statistics."""
    inputs = make_inputs(directory, {"a": TEXT, "b.gz": b"six\nseven\n", "c": b"", "d": b"eight nine\n"})
    (directory / "out").mkdir(exist_ok=True)
    return FileJob(
        inputs=inputs,
        outputs=[directory / "out" / path.name for path in inputs],
        alignments=directory / "links.xz",
        stats=directory / "stats",
    )


def one_for_all(directory: Path) -> FileJob:
    """Inputs without a final newline, into one compressed output."""
    inputs = make_inputs(directory, {"a": b"one\ntwo", "b": b" ", "c": b"three\nfour", "d": b"five"})
    return FileJob(inputs=inputs, outputs=[directory / "out.bz2"], alignments=directory / "links")


def in_other_forms(directory: Path) -> FileJob:
    """Inputs in UTF-16 and compressed, whose names do not say so."""
    wide, packed = TEXT.decode().encode("utf-16"), gzip.compress(TEXT.decode().encode("utf-32"), mtime=0)
    inputs = make_inputs(directory, {"wide": wide, "packed": packed})
    return FileJob(inputs=inputs, outputs=[directory / "out.txt"])


def reported(directory: Path, suffix: str = ".json") -> FileJob:
    """Inputs of which lines are flagged, with a report, into two outputs; alignments and statistics."""
    inputs = make_inputs(directory, {"a": TEXT, "b": b"bob\nno one\nthree\n"})
    return FileJob(
        inputs=inputs,
        outputs=[directory / "out.a", directory / "out.b"],
        alignments=directory / "links",
        report=directory / f"report{suffix}",
        stats=directory / "stats",
    )


JOBS: dict[str, Callable[[Path], FileJob]] = {
    "one": one_file,
    "everything": everything,
    "one for all": one_for_all,
    "in other forms": in_other_forms,
    "reported": reported,
    "reported on a page": lambda directory: replace(reported(directory, ".html"), stats=None),
}


def test_a_job_in_other_forms_writes_what_it_writes_of_utf8(tmp_path: Path) -> None:
    other, plain = tmp_path / "other", tmp_path / "plain"
    for directory in (other, plain):
        directory.mkdir()
    Attempt(in_other_forms(other)).run()
    inputs = make_inputs(plain, {"a": TEXT, "b": TEXT})
    Attempt(FileJob(inputs=inputs, outputs=[plain / "out.txt"])).run()
    assert (other / "out.txt").read_bytes() == (plain / "out.txt").read_bytes() != b""


def visible(directory: Path) -> dict[str, bytes]:
    """All files but the hidden ones."""
    paths = [path for path in directory.rglob("*") if path.is_file() and not path.name.startswith(".")]
    place = str(directory).encode()  # which a report tells
    return {str(path.relative_to(directory)): path.read_bytes().replace(place, b"") for path in sorted(paths)}


def hidden(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.rglob(".*"))


def killed_at(moment: int, attempt: Attempt, **options: bool) -> bool:
    """Run in a process that dies, as by SIGKILL, at the given call that changes a file's state on the disk.

    Every rename, removal and sync counts twice, before and after. False if it lived to the end.
    """

    def child() -> None:
        left = iter(range(moment + 1))

        def dying(call: Callable[..., Any]) -> Callable[..., Any]:
            def perform(*arguments: Any, **named: Any) -> Any:
                if next(left, None) == moment:
                    os._exit(9)
                result = call(*arguments, **named)
                if next(left, None) == moment:
                    os._exit(9)
                return result

            return perform

        os.fsync, Path.replace, Path.unlink = dying(os.fsync), dying(Path.replace), dying(Path.unlink)  # type: ignore
        attempt.run(**options)

    process = Fork.Process(target=child)
    process.start()
    process.join()
    assert process.exitcode in (0, 9)
    return process.exitcode == 9


@pytest.mark.parametrize("name", JOBS)
def test_a_kill_at_any_moment_loses_nothing(name: str, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    expected = Attempt(JOBS[name](whole)).run()
    lines = len(expected.translated)
    shortest, moment = lines, 0
    while True:
        directory = tmp_path / f"{moment}"
        directory.mkdir()
        if not killed_at(moment, Attempt(JOBS[name](directory))):
            break
        left = {path for path in visible(directory) if path in visible(whole)}
        assert {path: visible(directory)[path] for path in left} == {path: visible(whole)[path] for path in left}
        if moment % 5 == 0:
            killed_at(moment // 2, Attempt(JOBS[name](directory)))  # and once more on the way
        second = Attempt(JOBS[name](directory)).run()
        assert visible(directory) == visible(whole), moment
        assert hidden(directory) == hidden(whole), moment
        assert (second.tally.lines == lines) != second.was_done
        assert not [said for said in second.said if said.startswith("Starting over")]
        shortest = min(shortest, len(second.translated))
        shutil.rmtree(directory)
        moment += 3 if name == "everything" else 1  # of two moments at each call, both kinds
    assert moment > 2 * lines
    assert shortest == 0


class Stopped(Attempt):
    """Stopped by an exception after some lines."""

    def __init__(self, job: FileJob, after: int, error: BaseException, **options: int) -> None:
        super().__init__(job, **options)
        self.after, self.error = after, error

    def translate(self, lines: Iterable[str]) -> Iterator[Translation]:
        for translation in super().translate(lines):
            if len(self.translated) > self.after:
                raise self.error
            yield translation

    def run(self, **options: Any) -> "Attempt":
        with pytest.raises(type(self.error)):
            super().run(**options)
        return self


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(143), RuntimeError("CUDA error"), MtcliError("x")])
def test_what_an_interrupt_leaves_is_gone_on_with(tmp_path: Path, error: BaseException) -> None:
    job = one_file(tmp_path)
    first = Stopped(job, 3, error).run()
    assert first.said == ["3 lines are kept. The same command goes on after them."]
    assert hidden(tmp_path) == [".out.journal", ".out.partial"]
    assert "out" not in visible(tmp_path)
    second = Attempt(job).run()
    assert second.said == ["Going on after line 3 of an earlier run."]
    assert second.translated == ["three four", "five"]
    assert job.outputs[0].read_bytes() == b"ONE\nTWO\r\n\nTHREE FOUR\nFIVE"  # type: ignore[union-attr]


def test_counts_are_of_the_whole_job(tmp_path: Path) -> None:
    job = one_file(tmp_path)
    expected = Attempt(job_for(job.inputs, [tmp_path / "other"])).run().tally
    first = Stopped(job, 4, KeyboardInterrupt()).run()
    first.tally.earlier = {"seconds": 50.0}
    second = Attempt(job).run().tally
    for name in ("lines", "blank_lines", "num_bytes", "parts", "split_lines"):
        assert getattr(second, name) == getattr(expected, name) > 0, name
    assert (second.resumed_lines, expected.resumed_lines) == (4, 0)
    assert "5 lines (4 of them by an earlier run)" in second.closing_line()


def test_time_and_tokens_add_up(tmp_path: Path) -> None:
    job = one_file(tmp_path)
    first = Stopped(job, 2, KeyboardInterrupt())
    first.tally = Tally(earlier={"seconds": 100.0, "target_tokens": 7, "source_tokens": 5, "decoded_parts": 2})
    first.run()
    second = Attempt(job).run().tally
    assert (second.target_tokens, second.source_tokens, second.decoded_parts) == (7, 5, 2)
    assert 100 < second.seconds < 200
    assert second._seconds_now < 50


@pytest.mark.parametrize("suffix", [".json", ".html", ".txt"])
def test_a_report_says_the_same_after_a_kill(suffix: str, tmp_path: Path) -> None:
    told = []
    for name, after in (("whole", 99), ("killed", 4)):
        (tmp_path / name).mkdir()
        job = reported(tmp_path / name, suffix)
        if after < 99:
            Stopped(job, after, KeyboardInterrupt()).run()
        tally = Attempt(job).run().tally
        told.append((tally.repaired, tally.flagged, visible(tmp_path / name)))
    assert told[0] == told[1]
    repaired, flagged, files = told[0]
    assert (repaired, flagged) == (5, 5)
    if suffix == ".json":
        content = json.loads(files["report.json"])
        assert content["counts"] == {"checked": 8, "flagged": 5, "with_errors": 5, "checks": {"loop": 5}}
        assert [line["line"] for line in content["lines"]] == [1, 2, 4, 6, 7]


def test_lines_are_aligned_together_as_without_a_kill(tmp_path: Path) -> None:
    job = one_for_all(tmp_path)
    whole = Attempt(FileJob(inputs=job.inputs, outputs=[tmp_path / "x"], alignments=tmp_path / "y")).run()
    assert whole.aligned == [["one", "two"], [" ", "three"], ["four", "five"]]
    Stopped(job, 3, KeyboardInterrupt()).run()
    second = Attempt(job).run()
    assert second.aligned == whole.aligned[1:]
    assert (tmp_path / "links").read_bytes() == (tmp_path / "y").read_bytes()


def test_a_finished_job_is_left_alone(tmp_path: Path) -> None:
    job = everything(tmp_path)
    Attempt(job).run()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert hidden(tmp_path) == [".a.journal"]
    again = Attempt(job).run()
    assert again.was_done
    assert (again.translated, again.said) == ([], [])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_an_output_that_was_edited_is_not_overwritten(tmp_path: Path) -> None:
    job = one_file(tmp_path)
    Attempt(job).run()
    (tmp_path / "out").write_bytes(b"precious")
    with pytest.raises(DataError, match=r"out exists already.*--force"):
        Attempt(job).run()
    assert (tmp_path / "out").read_bytes() == b"precious"


def test_an_output_that_was_removed_is_made_again(tmp_path: Path) -> None:
    job = one_file(tmp_path)
    expected = Attempt(job).run().translated
    (tmp_path / "out").unlink()
    again = Attempt(job).run()
    assert (again.translated, again.said) == (expected, [])
    assert (tmp_path / "out").exists()


def test_a_job_done_without_verifying_is_not_verified(tmp_path: Path) -> None:
    job = one_file(tmp_path)
    Attempt(job).run(verify=3)
    assert Attempt(job).run(verify=2).was_done
    with pytest.raises(DataError, match="exists already"):
        Attempt(job).run(verify=4)


@pytest.mark.parametrize("state", ["done", "stopped"])
def test_another_jobs_output_needs_force(tmp_path: Path, state: str) -> None:
    job = one_file(tmp_path)
    if state == "done":
        Attempt(job).run()
    else:
        Stopped(job, 3, KeyboardInterrupt()).run()
        (tmp_path / "out").write_bytes(b"somebody else's")
    before = visible(tmp_path), hidden(tmp_path)
    for options in ({"beam_size": 7}, {}) if state == "stopped" else ({"beam_size": 7},):
        with pytest.raises(DataError, match="exists already"):
            Attempt(job, **options).run()
        assert (visible(tmp_path), hidden(tmp_path)) == before
    assert len(Attempt(job, beam_size=7).run(force=True).translated) == 5


def _change_input(directory: Path) -> None:
    (directory / "in").write_bytes(TEXT + b"!")


def _change_model(directory: Path) -> None:
    (directory / "model" / "model.safetensors").write_bytes(b"other weights")


def _cut_partial(directory: Path) -> None:
    os.truncate(directory / ".out.partial", 5)


def _change_partial(directory: Path) -> None:
    (directory / ".out.partial").write_bytes(b"OME\nTWO\r\n\n")


def _remove_partial(directory: Path) -> None:
    (directory / ".out.partial").unlink()


def _cut_journal(directory: Path) -> None:
    os.truncate(directory / ".out.journal", 100)


def _edit_journal(directory: Path) -> None:
    text = (directory / ".out.journal").read_text()
    assert '"lines": 3' in text
    (directory / ".out.journal").write_text(text.replace('"lines": 3', '"lines": 4'))


def _replace_journal(directory: Path) -> None:
    (directory / ".out.journal").write_bytes(b'\xff["no journal"]')


CHANGES: dict[str, tuple[Callable[[Path], None], dict[str, int], str]] = {
    "another input": (_change_input, {}, "the input has changed since the earlier run"),
    "another model": (_change_model, {}, "the model has changed"),
    "another option": (lambda directory: None, {"beam_size": 9}, "an option has changed"),
    "two changes": (_change_input, {"beam_size": 9}, "the input and an option have changed"),
    "a partial cut short": (_cut_partial, {}, ".out.partial is not as the earlier run left it"),
    "a partial edited": (_change_partial, {}, ".out.partial is not as the earlier run left it"),
    "a partial removed": (_remove_partial, {}, ".out.partial is not as the earlier run left it"),
    "a journal cut short": (_cut_journal, {}, ".out.journal is damaged"),
    "a journal edited": (_edit_journal, {}, ".out.journal is damaged (its checksum does not fit)"),
    "no journal": (_replace_journal, {}, ".out.journal is damaged"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_does_not_fit_is_begun_anew_and_why(name: str, tmp_path: Path) -> None:
    change, options, why = CHANGES[name]
    job = one_file(tmp_path)
    Stopped(job, 3, KeyboardInterrupt()).run()
    change(tmp_path)
    second = Attempt(job, **options).run()
    assert len(second.translated) == 5
    assert len(second.said) == 1
    assert second.said[0].startswith("Starting over: ") and why in second.said[0]
    assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes().upper()
    assert hidden(tmp_path) == [".out.journal"]


def test_a_finished_output_that_changed_is_not_gone_on_with(tmp_path: Path) -> None:
    job = everything(tmp_path)
    Stopped(job, 6, KeyboardInterrupt()).run()
    assert [path for path in visible(tmp_path) if path.startswith("out/")] == ["out/a"]
    (tmp_path / "out" / "a").write_bytes(b"edited")
    with pytest.raises(DataError, match="a exists already"):
        Attempt(job).run()
    (tmp_path / "out" / "a").unlink()
    second = Attempt(job).run()
    assert "finished is not there as it was" in second.said[0]
    assert len(second.translated) == 8


def test_force_begins_anew(tmp_path: Path) -> None:
    job = one_file(tmp_path)
    Stopped(job, 3, KeyboardInterrupt()).run()
    second = Attempt(job).run(force=True)
    assert (len(second.translated), second.said) == (5, [])


def test_a_forced_run_is_gone_on_with_without_force(tmp_path: Path) -> None:
    job = one_file(tmp_path)
    (tmp_path / "out").write_bytes(b"old")
    first = Stopped(job, 3, KeyboardInterrupt()).run(force=True)
    assert first.said == ["3 lines are kept. The same command without --force goes on after them."]
    assert (tmp_path / "out").read_bytes() == b"old"
    assert len(Attempt(job).run().translated) == 2
    assert (tmp_path / "out").read_bytes() == TEXT.upper()


def test_an_input_that_must_be_mended_leaves_nothing(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, {"a": b"one\n", "b": b"two\n\xff\n", "c": b""})
    (tmp_path / "out").mkdir()
    job = FileJob(
        inputs=inputs, outputs=[tmp_path / "out" / path.name for path in inputs], alignments=tmp_path / "links"
    )
    attempt = Attempt(job)
    with pytest.raises(DataError, match="b:2"):
        attempt.run()
    assert {name for name in visible(tmp_path) if "/" in name} == {"out/a", "model/model.safetensors"}
    assert (hidden(tmp_path), attempt.said) == ([], [])


class Miscounting(Attempt):
    def translate(self, lines: Iterable[str]) -> Iterator[Translation]:
        yield from list(super().translate(lines))[:-1]


def test_a_translator_that_miscounts_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(MtcliError, match="5 lines were read and 4 translated"):
        Miscounting(one_file(tmp_path)).run()
    assert "out" not in visible(tmp_path)
    assert hidden(tmp_path) == []


def test_stopped_before_the_first_line_leaves_nothing(tmp_path: Path) -> None:
    attempt = Stopped(one_file(tmp_path), 0, KeyboardInterrupt()).run()
    assert (hidden(tmp_path), attempt.said) == ([], [])


def test_a_full_disk_keeps_what_was_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = one_file(tmp_path)
    left = iter(range(8))  # two for each line: its partial file and the journal

    def fill(descriptor: int) -> None:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fill)
    attempt = Attempt(job)
    with pytest.raises(DataError, match="no space is left"):
        attempt.run()
    assert attempt.said == ["4 lines are kept. The same command goes on after them."]
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    assert Attempt(job).run().translated == ["five"]
    assert (tmp_path / "out").read_bytes() == TEXT.upper()


class Nested(Attempt):
    """Runs another attempt after its third line."""

    def __init__(self, job: FileJob, other: Attempt) -> None:
        super().__init__(job)
        self.other = other

    def translate(self, lines: Iterable[str]) -> Iterator[Translation]:
        for translation in super().translate(lines):
            if len(self.translated) == 3:
                with pytest.raises(DataError, match=r"Another process is writing .*/(out|a)\. Wait"):
                    self.other.run(force=True)
            yield translation


def test_two_do_not_write_one_output(tmp_path: Path) -> None:
    job = one_file(tmp_path)
    Nested(job, Attempt(job)).run()
    assert (tmp_path / "out").read_bytes() == TEXT.upper()


def test_two_jobs_do_not_share_an_output(tmp_path: Path) -> None:
    job = everything(tmp_path)
    Nested(job, Attempt(FileJob(inputs=job.inputs[:1], outputs=[tmp_path / "own"], alignments=job.outputs[0]))).run()
    assert (tmp_path / "out" / "a").read_bytes() == TEXT.upper()


def test_another_thread_commits_while_the_translator_is_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(resuming, "_PERIOD", 0.01)
    job, done = one_file(tmp_path), threading.Event()

    class Slow(Attempt):
        def translate(self, lines: Iterable[str]) -> Iterator[Translation]:
            for translation in super().translate(lines):
                if len(self.translated) == 4:
                    wait_until(lambda: b'"lines": 3' in (tmp_path / ".out.journal").read_bytes())
                    assert (tmp_path / ".out.partial").read_bytes() == b"ONE\nTWO\r\n\n"
                    done.set()
                yield translation

    Slow(job).run()
    assert done.is_set()
    assert (tmp_path / "out").read_bytes() == TEXT.upper()


def test_a_journal_that_cannot_be_written_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(resuming, "_PERIOD", 0.01)
    job = one_file(tmp_path)

    class Slow(Attempt):
        def translate(self, lines: Iterable[str]) -> Iterator[Translation]:
            for translation in super().translate(lines):
                if len(self.translated) == 2:
                    monkeypatch.setattr(os, "fsync", full)
                    wait_until(lambda: full_calls and {*threading.enumerate()} <= threads)
                yield translation

    full_calls: list[int] = []
    threads = {*threading.enumerate()}

    def full(descriptor: int) -> None:
        full_calls.append(descriptor)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    attempt = Slow(job)
    with pytest.raises(DataError, match=r"out: no space is left"):
        attempt.run()
    assert len(attempt.translated) == 2


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
def test_compressed_outputs_are_equal_bytes(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = make_inputs(tmp_path, {"in": TEXT})
    job, other = job_for(inputs, [tmp_path / f"out{suffix}"]), job_for(inputs, [tmp_path / f"other{suffix}"])
    Stopped(job, 3, KeyboardInterrupt()).run()
    Attempt(job).run()
    monkeypatch.setattr(time, "time", lambda: 1e9)  # a time in the file would differ
    Attempt(other).run()
    assert job.outputs[0].read_bytes() == other.outputs[0].read_bytes()  # type: ignore[union-attr]
    assert hidden(tmp_path) == [f".other{suffix}.journal", f".out{suffix}.journal"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    inputs = make_inputs(tmp_path, {"in": TEXT})
    (tmp_path / "out").symlink_to(tmp_path / "far" / "target")
    Attempt(job_for(inputs, [tmp_path / "out"])).run()
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "far" / "target").read_bytes() == TEXT.upper()


@pytest.mark.parametrize("name", ["-", "/dev/null", "FIFO", "missing"])
def test_streams_and_devices_are_not_gone_on_with(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "FIFO")
    (tmp_path / "in").write_bytes(TEXT)
    path = tmp_path / name if name in ("FIFO", "missing") else Path(name)
    assert not can_resume([path], [tmp_path / "out"])
    assert can_resume([tmp_path / "in"], [path]) == (name == "missing")
    assert not can_resume([tmp_path / "in"], [None])
