"""From input lines to written translations, in order: what `mtcli translate` does once everything is loaded."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mtcli.cli.reading import Reader, Record
from mtcli.cli.tally import Tally
from mtcli.cli.writing import Writer, miscounted
from mtcli.decoding.streaming import arriving_windows
from mtcli.files import open_output

if TYPE_CHECKING:
    from mtcli.decoding.translator import Translation

Translate = Callable[[Sequence[str]], "Iterable[Translation]"]
"""From lines to their translations, in order."""
Align = Callable[[Sequence["Translation"]], Sequence[str]]
"""From translations to their word alignments, a line each."""

_WINDOW = 2000  # lines read ahead and translated together
_FIRST_WINDOW = 64  # where somebody waits for the first line


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to read and where to write it.

    Attributes:
        inputs: files, `-` for stdin.
        outputs: one for all inputs, or one for each; None and `-` are stdout.
        alignments, stats: where the word alignments of all inputs and the counts go, if anywhere.
    """

    inputs: Sequence[Path]
    outputs: Sequence[Path | None]
    input_format: str = "text"
    output_format: str = "text"
    on_bad_utf8: str = "error"
    alignments: Path | None = None
    stats: Path | None = None


def run(job: Job, reader: Reader, translate: Translate, align: Align | None, tally: Tally) -> None:
    """Translate all lines of the reader, which reads the job's inputs.

    Raises:
        DataError: an input cannot be read, or an output not written.
        MtcliError: the numbers of lines read and written differ; no output is left then.
    """
    with ExitStack() as stack:
        links = stack.enter_context(open_output(job.alignments)) if job.alignments else None
        writer = stack.enter_context(Writer(job.outputs, reader, job.output_format))
        for records in arriving_windows(reader, _WINDOW, _FIRST_WINDOW if writer.is_awaited else None):
            tally.start_window(records)
            translations = _write_window(records, translate, writer, tally)
            if links and align:
                links.write("".join(f"{line}\n" for line in align(translations)).encode())
                links.flush()
            tally.end_window()


def _write_window(records: Sequence[Record], translate: Translate, writer: Writer, tally: Tally) -> "list[Translation]":
    translations: list[Translation] = []
    for translation in translate([record.text for record in records]):
        if len(translations) == len(records):
            raise miscounted(len(records), len(translations) + 1)
        record = records[len(translations)]
        writer.write(record, translation)
        if writer.is_awaited:
            writer.flush()
        tally.add(record)
        translations.append(translation)
    if len(translations) < len(records):
        raise miscounted(len(records), len(translations))
    writer.flush()
    return translations
