"""`mtcli export`."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mtcli.cli.errors import TracebackOption, reports_errors
from mtcli.cli.options import ModelOption, QuietOption
from mtcli.cli.streams import say
from mtcli.errors import DataError, UsageError, check_choice

NAME = "export"
EXAMPLE = """\b
Examples:
  mtcli export mtcli -m runs/en-de -o en-de --dtype float16
  mtcli export hf -m en-de -o en-de-marian
  mtcli export ctranslate2 -m en-de -o en-de-ct2
  mtcli evaluate -m en-de --src test.en --ref test.de --json > test.json
  mtcli export mtcli -m en-de -o en-de-tested --scores test.json"""

_FORMATS = ("mtcli", "hf", "ctranslate2")
_OF_A_TEST = ("set", "lines", "beam", "bleu", "chrf", "ter", "signatures")


@reports_errors
def command(
    form: Annotated[
        str,
        typer.Argument(metavar="FORMAT", help="mtcli (to hand on), hf (Marian, for transformers) or ctranslate2."),
    ],
    model: ModelOption,
    output: Annotated[Path, typer.Option("-o", "--output", help="The directory to make.")],
    dtype: Annotated[
        Literal["float32", "float16"] | None,
        typer.Option("--dtype", help="mtcli: number type of the weights; float16 takes half the room."),
    ] = None,
    scores: Annotated[
        list[Path] | None,
        typer.Option("--scores", help="mtcli: what evaluate --json printed, for the model's card. Again for more."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing model.")] = False,
    quiet: QuietOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Write a model for use elsewhere: as a model directory without its run, or in the form of another system.

    mtcli leaves behind what a run needs to go on, its checkpoints and its corpus, and the names of directories.
    hf takes post-norm models with sinusoidal positions; ctranslate2 takes every model.
    """
    check_choice("FORMAT", form, _FORMATS)
    if form != "mtcli" and (dtype is not None or scores):
        raise UsageError(f"--dtype and --scores are for the format mtcli; {form} has neither.")
    from mtcli.interop.directories import atomic_directory, refuse_to_replace

    refuse_to_replace(output, force)
    tests = [_read_scores(path) for path in scores or ()]
    with atomic_directory(output) as directory:
        _export(form, model, directory, dtype or "float32", tests)
    size = sum(file.stat().st_size for file in output.iterdir())
    say(f"Exported {model} as {output}, in the form of {form}: {size / 1e6:.1f} MB.", quiet)


def _export(form: str, model: Path, directory: Path, dtype: str, tests: list[dict[str, Any]]) -> None:
    if form == "hf":
        from mtcli.interop.exporting_hf import export_hf

        export_hf(model, directory)
    elif form == "ctranslate2":
        from mtcli.interop.exporting_ct2 import export_ctranslate2

        export_ctranslate2(model, directory)
    else:
        import torch

        from mtcli.interop.package import package

        package(model, directory, {"float32": torch.float32, "float16": torch.float16}[dtype], tests)


def _read_scores(path: Path) -> dict[str, Any]:
    from mtcli.files import read_lines

    try:
        record = json.loads("\n".join(read_lines(path)))
        found = {key: record[key] for key in _OF_A_TEST}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is not what mtcli evaluate --json prints ({error!r}). Give its output.") from None
    if found["beam"] is None:
        raise DataError(f"{path} has scores of finished translations (--hyp), not of a model. Evaluate it with -m.")
    return found
