"""`mtcli export`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from mtcli.cli.outcome import TracebackOption, reports_errors
from mtcli.cli.translating import ModelOption, QuietOption, one_of, say

NAME = "export"
EXAMPLE = """\b
Examples:
  mtcli export hf -m en-de -o en-de-marian
  mtcli export ctranslate2 -m en-de -o en-de-ct2"""


def _hf() -> Callable[[Path, Path], None]:
    from mtcli.interop.exporting_hf import export_hf

    return export_hf


def _ctranslate2() -> Callable[[Path, Path], None]:
    from mtcli.interop.exporting_ct2 import export_ctranslate2

    return export_ctranslate2


_FORMATS: dict[str, Callable[[], Callable[[Path, Path], None]]] = {"hf": _hf, "ctranslate2": _ctranslate2}


@reports_errors
def command(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help="hf (Marian, for transformers) or ctranslate2.")],
    model: ModelOption,
    output: Annotated[Path, typer.Option("-o", "--output", help="The directory to make.")],
    force: Annotated[bool, typer.Option("--force", help="Replace an existing model.")] = False,
    quiet: QuietOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Write a model in the form of another system, which then translates with it.

    hf takes post-norm models with sinusoidal positions; ctranslate2 takes every model.
    """
    one_of("FORMAT", form, tuple(_FORMATS))
    from mtcli.interop.directories import atomic_directory, refuse_to_replace

    refuse_to_replace(output, force)
    export = _FORMATS[form]()
    with atomic_directory(output) as directory:
        export(model, directory)
    say(f"Exported {model} as {output}, in the form of {form}.", quiet)
