"""`mtcli export`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mtcli.cli.outcome import TracebackOption, reports_errors
from mtcli.cli.translating import QuietOption, say
from mtcli.errors import DataError

if TYPE_CHECKING:
    import torch

NAME = "export"
EXAMPLE = """\b
Examples:
  mtcli export mtcli -m runs/en-de -o en-de --dtype float16
  mtcli evaluate -m en-de --src test.en --ref test.de --json > test.json
  mtcli export mtcli -m runs/en-de -o en-de --dtype float16 --scores test.json --force"""

_OF_A_TEST = ("set", "lines", "beam", "bleu", "chrf", "ter", "signatures")


@reports_errors
def command(
    form: Annotated[Literal["mtcli"], typer.Argument(metavar="FORMAT", help="mtcli: a model directory to hand on.")],
    model: Annotated[Path, typer.Option("-m", "--model", help="A model directory, as mtcli train makes it.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The directory to make.")],
    dtype: Annotated[
        Literal["float32", "float16"],
        typer.Option("--dtype", help="Number type of the weights; float16 takes half the room."),
    ] = "float32",
    scores: Annotated[
        list[Path] | None,
        typer.Option("--scores", help="What evaluate --json printed, for the model's card. May be given again."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what an export wrote there before.")] = False,
    quiet: QuietOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Write a trained model for use elsewhere: the files that make a model, and no others.

    What a run needs to go on, its checkpoints and its corpus, stays behind, and so do the names of directories.
    """
    from mtcli.interop.directory import refuse_directory

    refuse_directory(output, force)
    tests = [_read_scores(path) for path in scores or ()]
    from mtcli.interop.package import package

    package(model, output, _number_type(dtype), tests)
    size = sum(file.stat().st_size for file in output.iterdir())
    say(f"Wrote {output}: {size / 1e6:.1f} MB, weights in {dtype}.", quiet)


def _number_type(name: str) -> "torch.dtype":
    import torch

    return {"float32": torch.float32, "float16": torch.float16}[name]


def _read_scores(path: Path) -> dict[str, Any]:
    from mtcli.files import read_lines

    try:
        record = json.loads("\n".join(read_lines(path)))
        return {key: record[key] for key in _OF_A_TEST}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is not what mtcli evaluate --json prints ({error!r}). Give its output.") from None
