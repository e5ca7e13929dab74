"""`mtcli extract`."""

from pathlib import Path
from typing import Annotated

import typer

from mtcli.cli.errors import TracebackOption, reports_errors
from mtcli.cli.options import ForceOption, QuietOption
from mtcli.cli.streams import say
from mtcli.errors import check_choice

NAME = "extract"
EXAMPLE = """\b
Examples:
  mtcli extract manual.docx -o manual.tsv
  mtcli fill manual.docx manual.tsv -o handbuch.docx
  mtcli extract messages.po --format jsonl > messages.jsonl"""


@reports_errors
def command(
    document: Annotated[Path, typer.Argument(help="The document.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to write; - is stdout.")] = None,
    output_format: Annotated[
        str | None, typer.Option("--format", help="tsv or jsonl; by default by the output's suffix, else tsv.")
    ] = None,
    input_format: Annotated[
        str | None, typer.Option("--input-format", help="What kind of document it is; by default by its suffix.")
    ] = None,
    fuzzy: Annotated[bool, typer.Option("--fuzzy", help="Also a catalogue's unreviewed entries.")] = False,
    force: ForceOption = False,
    quiet: QuietOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Write a document's segments as a table, for people to translate: id, source, target, context.

    Inline codes are written as <1>, </1> and <2/>; line breaks and tabs as \\n and \\t in TSV. `mtcli fill` puts what
    stands in the column `target` into the document.
    """
    from mtcli.documents.exchange import write_segments
    from mtcli.files import open_output
    from mtcli.formats.documents.model import ReadOptions
    from mtcli.formats.documents.registry import format_for
    from mtcli.jobs.outputs import check_outputs

    kind = output_format or ("jsonl" if output and output.suffix == ".jsonl" else "tsv")
    check_choice("--format", kind, ("tsv", "jsonl"))
    check_outputs([output], force, [document])
    segments = list(format_for(document, input_format).read(document, ReadOptions(fuzzy=fuzzy)))
    with open_output(output) as stream:
        count = write_segments(segments, stream, kind)
    say(f"{count:,} segments.", quiet)
