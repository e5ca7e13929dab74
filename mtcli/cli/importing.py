"""`mtcli import`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mtcli.cli.errors import TracebackOption, reports_errors
from mtcli.cli.options import QuietOption
from mtcli.cli.streams import say

NAME = "import"
EXAMPLE = """\b
Examples:
  mtcli import Helsinki-NLP/opus-mt-en-de -o opus-en-de
  mtcli import Helsinki-NLP/opus-mt-en-fr --install && mtcli translate --from en --to fr
  mtcli import ./opus-mt-en-ROMANCE -o en-fr --target-lang fr"""

_MOST_LISTED = 12


@reports_errors
def command(
    model: Annotated[str, typer.Argument(metavar="PATH_OR_NAME", help="A directory, or a name on Hugging Face.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The model directory to make.")] = None,
    install: Annotated[
        bool, typer.Option("--install", help="Make it where --from and --to find it (mtcli models).")
    ] = False,
    target_lang: Annotated[
        str | None,
        typer.Option("--target-lang", metavar="XX", help="Begin every line with >>XX<<."),
    ] = None,
    revision: Annotated[
        str | None, typer.Option("--revision", help="Branch, tag or commit to fetch, such as refs/pr/1.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing model.")] = False,
    quiet: QuietOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Make a model directory of a Marian model in Hugging Face's form, such as those of OPUS-MT.

    Everything is read and compared with what transformers computes, where it is installed, before anything is written.
    """
    from mtcli.errors import UsageError
    from mtcli.interop.directories import refuse_to_replace
    from mtcli.model_directory.library import folders

    if (output is None) != install:
        raise UsageError("Give the model directory to make with -o DIR, or --install; not both.")
    output = output or folders()[0] / model.rstrip("/").rpartition("/")[2]
    refuse_to_replace(output, force)
    from mtcli.devices import prepare_cpu
    from mtcli.interop.fetching import find
    from mtcli.interop.importing import read_marian, write_imported

    prepare_cpu()
    original = find(model, revision, show_progress=sys.stderr.isatty() and not quiet)
    imported = read_marian(original, target_lang)
    if install:
        output.parent.mkdir(parents=True, exist_ok=True)
    write_imported(imported, output)
    made_by, difference = imported.reference.made_by, imported.difference
    compared = (
        f"{made_by} computes the same ids, and log-probabilities within {difference:.1g}."
        if difference is not None
        else "transformers is not installed: the reference for mtcli info --check is mtcli's own."
    )
    say(f"Imported {model} as {output}. {compared}", quiet)
    say(f"On a CPU it is float32 by default. Whether int8 is as good: mtcli quantize {output} --src F --ref F", quiet)
    if languages := imported.languages:
        more = ", ..." if len(languages) > _MOST_LISTED else ""
        say(
            f"It translates into several languages: begin every line with one of {', '.join(languages[:_MOST_LISTED])}"
            f"{more}, or import it with --target-lang.",
            quiet,
        )
