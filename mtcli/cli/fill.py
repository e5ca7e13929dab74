"""`mtcli fill`."""

from pathlib import Path
from typing import Annotated

import typer

from mtcli.cli.errors import TracebackOption, reports_errors
from mtcli.cli.options import ForceOption, QuietOption
from mtcli.cli.streams import say

NAME = "fill"
EXAMPLE = """\b
Examples:
  mtcli extract manual.docx -o manual.tsv
  mtcli fill manual.docx manual.tsv -o handbuch.docx --target-language de"""


@reports_errors
def command(
    document: Annotated[Path, typer.Argument(help="The document whose segments were extracted.")],
    segments: Annotated[Path, typer.Argument(help="The table, its column `target` filled; TSV, or JSONL by suffix.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write.")],
    input_format: Annotated[
        str | None, typer.Option("--input-format", help="What kind of document it is; by default by its suffix.")
    ] = None,
    target_language: Annotated[
        str, typer.Option("--target-language", metavar="CODE", help="What the document says that it is in then.")
    ] = "",
    fuzzy: Annotated[bool, typer.Option("--fuzzy", help="As at `mtcli extract`.")] = False,
    force: ForceOption = False,
    quiet: QuietOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Put the translations of a table that `mtcli extract` wrote into a document.

    Segments without one stay as they are. Each must have the inline codes of its source, once each.
    """
    import io

    from mtcli.documents.exchange import read_targets, with_targets
    from mtcli.errors import DataError
    from mtcli.files import open_output
    from mtcli.formats.documents.model import ReadOptions
    from mtcli.formats.documents.registry import format_for
    from mtcli.jobs.outputs import check_outputs

    check_outputs([output], force, [document, segments])
    targets = read_targets(segments)
    total = len(targets)
    form, options = format_for(document, input_format), ReadOptions(target_language=target_language, fuzzy=fuzzy)
    filled = list(with_targets(form.read(document, options), targets, segments))
    if targets:
        raise DataError(
            f"{segments}: {document} has no segment {next(iter(targets))}, or it is not to be translated. Extract its "
            "segments again."
        )
    whole = io.BytesIO()
    form.write(document, iter(filled), whole, options)
    with open_output(output) as stream:
        stream.write(whole.getvalue())
    say(f"{total:,} segments filled, {len(filled) - total:,} left as they are.", quiet)
