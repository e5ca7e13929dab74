"""From input lines to written translations, in order: what a job does once everything is loaded."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice

from mtcli.checking.checker import LanguagePair
from mtcli.errors import MtcliError
from mtcli.files import Output, open_output
from mtcli.formats.reader import Reader
from mtcli.formats.records import Record
from mtcli.formats.writers import Writer
from mtcli.jobs.job import FileJob
from mtcli.jobs.outputs import miscounted
from mtcli.jobs.report import ReportWriter, report_head
from mtcli.jobs.resume import Resumable
from mtcli.jobs.sample import Sample
from mtcli.jobs.tally import Tally
from mtcli.translation import Translation

Translate = Callable[[Iterable[str]], Iterator[Translation]]
"""From lines, which may be read in another thread, to their translations, in order and as soon as they are there."""
Align = Callable[[Sequence[Translation]], Sequence[str]]
"""From translations to their word alignments, a line each."""

_ALIGNED = 256  # lines aligned together


def run(
    job: FileJob,
    reader: Reader,
    translate: Translate,
    align: Align | None,
    tally: Tally,
    files: Resumable | None = None,
    sample: Sample | None = None,
    languages: LanguagePair = (None, None),
) -> None:
    """Translate all lines of the reader, which reads the job's inputs, but for those that an earlier run wrote.

    Args:
        files: the job's outputs, if they can be gone on with after a kill; inside its `committing`.
        sample: is shown all translations.
        languages: codes of source and target, for the report.

    Raises:
        DataError: an input cannot be read, or an output not written.
        MtcliError: the numbers of lines read and written differ; no output is left then.
    """
    open_file = files.open if files else open_output
    with ExitStack() as stack:
        report = None
        if job.report:
            head = report_head(job, languages)
            earlier = files.earlier.counts if files and files.earlier.lines else None
            report = ReportWriter(stack.enter_context(open_file(job.report)), job.report, head, earlier)
        links = None
        if job.alignments and align:
            links = _AlignmentWriter(stack.enter_context(open_file(job.alignments)), align)
        writer = stack.enter_context(Writer(job.outputs, reader, job.output_format, open_file, flags=job.flag))
        _Pass(reader, writer, links, report, tally, files, sample).translate_all(translate)
    tally.end()


class _AlignmentWriter:
    """Word alignments on their way to their file, some hundred lines at a time."""

    def __init__(self, output: Output, align: Align) -> None:
        self._output, self._align = output, align
        self._waiting: list[Translation] = []

    def add(self, translation: Translation) -> None:
        self._waiting.append(translation)
        if len(self._waiting) == _ALIGNED:
            self.flush()

    def flush(self) -> None:
        """Align and write what waits."""
        if self._waiting:
            self._output.write("".join(f"{line}\n" for line in self._align(self._waiting)).encode())
            self._output.flush()
            self._waiting = []

    @property
    def is_empty(self) -> bool:
        return not self._waiting


class _Pass:
    """One pass over the records: each waits here until its translation comes back."""

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        links: _AlignmentWriter | None,
        report: ReportWriter | None,
        tally: Tally,
        files: Resumable | None,
        sample: Sample | None,
    ) -> None:
        self._reader, self._records, self._writer, self._links = reader, iter(reader), writer, links
        self._report, self._tally, self._files, self._sample = report, tally, files, sample
        self._waiting: deque[Record] = deque()

    def translate_all(self, translate: Translate) -> None:
        """Read, translate and write what is not written yet."""
        self._skip()
        with _ending(translate(self._texts())) as translations:
            for translation in translations:
                self._write(translation)
        if self._writer.lines != self._reader.lines:
            raise self._miscounted(self._writer.lines)
        if self._report:
            self._report.end(self._writer.lines)
        self._flush()

    def _skip(self) -> None:
        if self._files and self._files.earlier.lines:
            earlier = self._files.earlier
            self._tally.resume(islice(self._records, earlier.lines), earlier.counts)
            self._writer.resume(earlier.place, earlier.lines, earlier.unended)

    def _texts(self) -> Iterator[str]:
        """What is to be translated; may be asked for from another thread."""
        try:
            for record in self._records:
                self._waiting.append(record)
                yield record.text
        except MtcliError:
            if self._files:
                self._files.give_up()  # the input must be mended, and makes another job then
            raise

    def _write(self, translation: Translation) -> None:
        if not self._waiting:
            raise self._miscounted(self._writer.lines + 1)
        record = self._waiting.popleft()
        if self._writer.belongs_to_next(record):
            self._flush()
        self._writer.write(record, translation)
        self._tally.add(record, translation)
        if self._report:
            self._report.add(self._writer.lines, translation)
        if self._sample is not None:
            self._sample.offer(record, self._writer.lines, translation)
        idle = not self._waiting  # whoever sends the lines may wait for this one
        if self._writer.is_awaited or (idle and not self._files):
            self._writer.flush()
        if self._links:
            self._links.add(translation)
            if idle and not self._files:
                self._links.flush()
        self._note()

    def _flush(self) -> None:
        if self._links:
            self._links.flush()
        self._note()

    def _note(self) -> None:
        """Tell how far the outputs are: where lines still wait to be aligned, none could be gone on with.

        So the same lines are aligned together whether or not a run was killed.
        """
        if self._files and (self._links is None or self._links.is_empty):
            self._files.reached(self._writer.lines, self._writer.unended, self._counts())

    def _counts(self) -> dict[str, float]:
        return self._tally.counts() | (self._report.counts() if self._report else {})

    def _miscounted(self, lines_out: int) -> MtcliError:
        if self._files:
            self._files.give_up()
        return miscounted(self._reader.lines, lines_out)


@contextmanager
def _ending(translations: Iterator[Translation]) -> Iterator[Iterator[Translation]]:
    """Stop a generator's threads when the block ends, however it does."""
    try:
        yield translations
    finally:
        if isinstance(translations, Generator):
            translations.close()
