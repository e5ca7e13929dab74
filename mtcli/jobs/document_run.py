"""One run of a document job: segments to a partial file, the document of it at the end.

What is written on the way are translated segments, so that a job that is killed goes on behind the last of them, and
ends with the bytes of one that was not. The document is put together in one go.
"""

import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from mtcli.documents.report import entry, write_report
from mtcli.documents.results import read_results, to_json
from mtcli.documents.segments import Keeping
from mtcli.documents.translate import ModelLines, filled, keeping_of
from mtcli.errors import DataError
from mtcli.files import STDIN, Output, display_name, open_output
from mtcli.formats.documents.model import DocumentFormat, Filled, Outcome, ReadOptions, Segment
from mtcli.jobs.document_job import DocumentJob
from mtcli.jobs.identity import job_key
from mtcli.jobs.outputs import check_outputs
from mtcli.jobs.partial import partial_of
from mtcli.jobs.resume import Resumable, can_resume, resumable
from mtcli.jobs.run import Reporter, load_translator, resolved_compute
from mtcli.jobs.tally import Tally
from mtcli.model_directory.card import direction_of
from mtcli.model_directory.model import Model, StoredModel

_SAID = {
    Outcome.TRANSLATED: "translated",
    Outcome.REPAIRED: "translated in parts",
    Outcome.COPIED: "without text",
    Outcome.KEPT: "not to be translated",
    Outcome.LEFT: "left as they were",
}


@dataclass
class SegmentTally(Tally):
    """Count segments as lines, and what became of them.

    Attributes:
        outcomes: how many there are of each, in this run and earlier ones.
    """

    outcomes: Counter[str] = field(default_factory=Counter)

    def add_segments(self, group: Sequence[Filled]) -> None:
        """Count segments whose translations were written."""
        self.lines += len(group)
        self.num_bytes += len(group)
        self.outcomes.update(one.outcome.value for one in group)

    def resume_segments(self, earlier: Iterable[Filled]) -> int:
        """Count segments of an earlier run; returns how many."""
        before = self.lines
        for one in earlier:
            self.add_segments([one])
        self.resumed_lines, self.resumed_bytes = self.lines, self.num_bytes
        return self.lines - before

    def closing_line(self) -> str:
        resumed = f" ({self.resumed_lines:,} of them by an earlier run)" if self.resumed_lines else ""
        parts = [f"{self.outcomes[one.value]:,} {said}" for one, said in _SAID.items() if self.outcomes[one.value]]
        return (
            f"{self.lines:,} {'segment' if self.lines == 1 else 'segments'}{resumed}: {', '.join(parts) or 'none'}; "
            f"{self.target_tokens:,} target tokens in {self.seconds:.1f} s."
        )


def translate_documents(job: DocumentJob, reporter: Reporter) -> None:
    """Translate documents, or what an earlier run of the same job has left of them.

    Raises:
        UsageError, DataError: an input is not of its format, or an output cannot be written.
        CheckpointError, BackendUnavailableError: the model cannot be loaded, or not where the job says.
    """
    opened = cache(lambda: StoredModel(job.model))
    with _spooled(job) as job, _outputs_of(job, opened, reporter) as saved:
        if saved and saved.is_done:
            reporter.say("All is up to date.")
            return
        _Run(job, opened(), saved, reporter).translate()


@contextmanager
def _spooled(job: DocumentJob) -> Iterator[DocumentJob]:
    """The job with a file for stdin, which is read twice."""
    if STDIN not in job.inputs:
        yield job
        return
    with tempfile.TemporaryDirectory(prefix="mtcli-") as folder:
        path = Path(folder, f"stdin.{job.form}")
        with path.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        inputs = [path if one == STDIN else one for one in job.inputs]
        yield replace(job, inputs=inputs, form=job.form)


@contextmanager
def _outputs_of(job: DocumentJob, opened: Callable[[], Model], reporter: Reporter) -> Iterator[Resumable | None]:
    """The job's outputs, if a later run can go on with them; None where they or the inputs are no plain files."""
    to_resume = can_resume(job.inputs, job.written)
    check_outputs(job.written, job.force or to_resume, job.inputs)
    if not to_resume:
        yield None
        return
    named = [path for path in job.written if path]

    def key() -> dict[str, str]:
        compute, versions = resolved_compute(opened(), job.options, job.compute)
        return job_key(replace(job, compute=compute), versions)

    with resumable(named, key, force=job.force, say=reporter.say) as saved:
        yield saved


class _Run:
    """The documents one after the other."""

    def __init__(self, job: DocumentJob, model: Model, saved: Resumable | None, reporter: Reporter) -> None:
        self._job, self._model, self._saved, self._reporter = job, model, saved, reporter
        self._reading = _reading(job)
        self._translator = load_translator(model, job.options, job.compute, reporter)
        self._lines = ModelLines(self._translator, job.options)
        self._tally = SegmentTally(work=self._translator.work)

    def translate(self) -> None:
        """Translate them all, and say the totals."""
        job, saved = self._job, self._saved
        self._tally.total_bytes = sum(self._count(path) for path in job.inputs)
        keeping = keeping_of(self._translator, job.options, job.documents, self._reading.source_language)
        with saved.committing() if saved else nullcontext():
            with self._reporter.progress(job, self._tally), ExitStack() as stack:
                report = stack.enter_context(self._report()) if job.report else None
                for path, output in zip(job.inputs, job.outputs, strict=True):
                    self._document(path, output, keeping, report)
                self._note()
            self._tally.end()
            self._reporter.say(self._tally.closing_line())
            if self._tally.outcomes[Outcome.LEFT.value] and not job.report:
                self._reporter.say("--report FILE tells which were left, and why.")
            if saved:
                saved.finish()

    def _count(self, path: Path) -> int:
        """Segments of a file, which is read to its end: one that is damaged is said before anything is translated."""
        try:
            return sum(1 for _ in self._job.format_of(path).read(path, self._reading))
        except DataError:
            if self._saved:
                self._saved.give_up()
            raise

    def _document(self, path: Path, output: Path | None, keeping: Keeping, report: Output | None) -> None:
        form = self._job.format_of(path)
        render = partial(_render, form, path, self._reading)
        with ExitStack() as stack:
            if self._saved:
                target = stack.enter_context(self._saved.open(output, render))
                is_open = output is not None and self._saved.is_open(output)
            else:
                target, is_open = stack.enter_context(_rendered(output, render)), True
            segments = form.read(path, self._reading)
            if not is_open:  # it has appeared in an earlier run
                self._tally.resume_segments(Filled(one.id, None, Outcome.KEPT) for one in segments)
                return
            earlier = self._earlier(output)
            self._fill(path, islice(segments, earlier, None), target, keeping, report)

    def _earlier(self, output: Path | None) -> int:
        """Segments that an earlier run wrote of an output, counted."""
        if not self._saved or output is None:
            return 0
        return self._tally.resume_segments(read_results(partial_of(output.resolve())))

    def _fill(
        self, path: Path, segments: Iterator[Segment], target: Output, keeping: Keeping, report: Output | None
    ) -> None:
        waiting: list[Segment] = []

        def watched() -> Iterator[Segment]:
            for segment in segments:
                waiting.append(segment)
                yield segment

        for group in filled(watched(), self._lines, keeping):
            for one in group:
                target.write(to_json(one).encode())
                segment = waiting.pop(0)
                if report:
                    pieces = keeping.protection.in_order(segment.text)
                    report.write(entry(display_name(path), segment, one, pieces).encode())
            self._tally.add_segments(group)
            self._note()
        self._note()

    def _note(self) -> None:
        if self._saved:
            self._saved.reached(self._tally.lines, False, self._tally.counts())

    @contextmanager
    def _report(self) -> Iterator[Output]:
        path = self._job.report
        assert path is not None
        write = partial(_write_report, path.suffix.lower())
        with self._saved.open(path, write) if self._saved else _rendered(path, write) as report:
            yield report


def _reading(job: DocumentJob) -> ReadOptions:
    """How the files are read: languages that nobody named are the model's."""
    source, target = direction_of(job.model) or ("", "")
    given = job.reading
    return replace(
        given,
        source_language=given.source_language or source,
        target_language=given.target_language or target,
    )


def _render(form: DocumentFormat, source: Path, reading: ReadOptions, results: Path, target: Path) -> None:
    with target.open("wb") as output:
        form.write(source, read_results(results), output, reading)
        _settle(output)


def _write_report(suffix: str, entries: Path, target: Path) -> None:
    with target.open("wb") as output:
        write_report(entries, output, suffix)
        _settle(output)


def _settle(output: BinaryIO) -> None:
    output.flush()
    os.fsync(output.fileno())


@contextmanager
def _rendered(path: Path | None, render: Callable[[Path, Path], None]) -> Iterator[Output]:
    """What is written to it goes through a temporary file to what `render` makes of it, whole or not at all."""
    with tempfile.TemporaryDirectory(prefix="mtcli-") as folder:
        results, finished = Path(folder, "results"), Path(folder, "finished")
        with open_output(results) as lines:
            yield lines
        render(results, finished)
        with open_output(path) as output, finished.open("rb") as whole:
            while piece := whole.read(1 << 20):
                output.write(piece)
