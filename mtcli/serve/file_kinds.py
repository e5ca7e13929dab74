"""Kinds of files that can be translated, by suffix. Another kind is another entry of `FILE_KINDS`."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from mtcli.errors import DataError
from mtcli.files.decompression import compression_of
from mtcli.formats.reader import Reader
from mtcli.jobs.job import FileJob
from mtcli.jobs.pipeline import Translate, run
from mtcli.jobs.tally import Tally

FileKind = Callable[[Path, Path, Translate, Tally], None]
"""From a file, where its translation goes, what translates lines and what counts them; raises MtcliError."""


def _translate_lines(
    input_format: str, output_format: str, path: Path, out: Path, lines: Translate, tally: Tally
) -> None:
    """Translate a file with a segment a line, as `mtcli translate` does."""
    with path.open("rb") as stream:
        if compression_of(stream.read(16)):
            raise DataError(f"{path.name} is compressed. Send it as it was before.")
    job = FileJob(inputs=[path], outputs=[out], input_format=input_format, output_format=output_format)
    run(job, Reader([path], input_format), lines, None, tally)


FILE_KINDS: Mapping[str, FileKind] = {
    ".txt": partial(_translate_lines, "text", "text"),
    ".tsv": partial(_translate_lines, "tsv", "text"),
    ".jsonl": partial(_translate_lines, "jsonl", "jsonl"),
}
