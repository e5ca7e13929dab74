"""Running the translation pipeline in this process, with a stub for the model."""

import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest import mock

from mtcli.decoding.lines import is_invisible, one_line
from mtcli.files import STDIN
from mtcli.formats.reader import Reader
from mtcli.jobs.job import FileJob
from mtcli.jobs.pipeline import Translate, run
from mtcli.jobs.tally import Tally
from mtcli.translation import Candidate, Translation


def stub_text(line: str) -> str:
    """What the stub makes of a line: the line in brackets; what has nothing to translate stays."""
    return one_line(line) if is_invisible(line) else f"<{one_line(line)}>"


def stub_translate(lines: Sequence[str]) -> Iterator[Translation]:
    """Two candidates a line, in place of a model's."""
    for line in lines:
        text = stub_text(line)
        if is_invisible(line):
            yield Translation(line, (Candidate(text, 0.0, 0.0, 0),))
        else:
            yield Translation(line, (Candidate(text, -0.5, -1.5, 3), Candidate(text + "?", -0.75, -3.0, 4)))


class _Chunks(io.RawIOBase):
    """A pipe whose writer writes these chunks; an empty one is skipped."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = [chunk for chunk in chunks if chunk]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._chunks:
            return 0
        taken = self._chunks[0][: len(buffer)]
        self._chunks[0] = self._chunks[0][len(taken) :]
        if not self._chunks[0]:
            self._chunks.pop(0)
        buffer[: len(taken)] = taken
        return len(taken)


def pipe_through(
    *chunks: bytes,
    input_format: str = "text",
    output_format: str = "text",
    on_bad_utf8: str = "error",
    translate: Translate = stub_translate,
) -> tuple[bytes, Reader]:
    """What comes out on stdout for what came in on stdin, and the reader that counted it."""
    job = FileJob(
        inputs=[STDIN],
        outputs=[None],
        input_format=input_format,
        output_format=output_format,
        on_bad_utf8=on_bad_utf8,
    )
    out = io.BytesIO()
    with (
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BufferedReader(_Chunks(chunks)))),
        mock.patch.object(sys, "stdout", io.TextIOWrapper(out)),
    ):
        reader = run_job(job, translate)
        written = out.getvalue()
    return written, reader


def run_job(job: FileJob, translate: Translate = stub_translate) -> Reader:
    reader = Reader(job.inputs, job.input_format, job.on_bad_utf8)
    run(job, reader, translate, None, Tally())
    return reader


def job_for(inputs: Sequence[Path], outputs: Sequence[Path | None], **options: str) -> FileJob:
    return FileJob(inputs=inputs, outputs=outputs, **options)  # type: ignore[arg-type]
