"""Kinds of files that can be translated, by suffix. Another kind is another entry of `FILE_KINDS`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mtcli.documents.asking import Link
from mtcli.documents.results import read_results, to_json
from mtcli.documents.segments import Keeping
from mtcli.documents.translate import filled
from mtcli.errors import DataError
from mtcli.files.decompression import compression_of
from mtcli.formats.documents.model import DocumentFormat, ReadOptions
from mtcli.formats.documents.registry import FORMATS, format_for
from mtcli.formats.reader import Reader
from mtcli.jobs.job import FileJob
from mtcli.jobs.pipeline import Translate, run
from mtcli.jobs.tally import Tally
from mtcli.translation import Translation


@dataclass(frozen=True)
class FileWork:
    """What translates a file.

    Attributes:
        lines: translates lines, until somebody stops it.
        links: links the words of translations, as far as that is known.
        keeping: what translations of documents must keep.
        reading: the languages.
        tally: counts what is done.
    """

    lines: Translate
    links: Callable[[Sequence[Translation]], Sequence[Sequence[Link]]]
    keeping: Keeping
    reading: ReadOptions
    tally: Tally


FileKind = Callable[[Path, Path, FileWork], None]
"""From a file, where its translation goes, and what translates it; raises MtcliError."""


def _translate_lines(input_format: str, output_format: str, path: Path, out: Path, work: FileWork) -> None:
    """Translate a file with a segment a line, as `mtcli translate` does."""
    with path.open("rb") as stream:
        if compression_of(stream.read(16)):
            raise DataError(f"{path.name} is compressed. Send it as it was before.")
    job = FileJob(inputs=[path], outputs=[out], input_format=input_format, output_format=output_format)
    run(job, Reader([path], input_format), work.lines, None, work.tally)


def _translate_document(path: Path, out: Path, work: FileWork) -> None:
    """Translate a document, as `mtcli translate` does."""
    form = format_for(path)
    work.tally.total_bytes = sum(1 for _ in form.read(path, work.reading))
    results = out.with_name(f"{out.name}.segments")
    try:
        _fill(form, path, results, work)
        with out.open("wb") as output:
            form.write(path, read_results(results), output, work.reading)
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    finally:
        results.unlink(missing_ok=True)


def _fill(form: DocumentFormat, path: Path, results: Path, work: FileWork) -> None:
    with results.open("w", encoding="utf-8") as lines:
        for group in filled(form.read(path, work.reading), _Lines(work), work.keeping):
            lines.writelines(map(to_json, group))
            work.tally.lines += len(group)
            work.tally.num_bytes += len(group)


class _Lines:
    """A file's work as a `LineTranslator`."""

    def __init__(self, work: FileWork) -> None:
        self._work = work

    def translate(self, lines: Sequence[str]) -> Sequence[Translation]:
        return list(self._work.lines(_each(lines)))

    def links(self, translations: Sequence[Translation]) -> Sequence[Sequence[Link]]:
        return self._work.links(translations)


def _each(lines: Sequence[str]) -> Iterator[str]:
    yield from lines


FILE_KINDS: Mapping[str, FileKind] = {
    ".txt": partial(_translate_lines, "text", "text"),
    ".tsv": partial(_translate_lines, "tsv", "text"),
    ".jsonl": partial(_translate_lines, "jsonl", "jsonl"),
    **{suffix: _translate_document for form in FORMATS.values() for suffix in form.suffixes},
}
