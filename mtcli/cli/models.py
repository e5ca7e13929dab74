"""`mtcli models`."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtcli.cli.errors import TracebackOption, reports_errors

if TYPE_CHECKING:
    from mtcli.model_directory.library import Installed

NAME = "models"
EXAMPLE = """\b
Examples:
  mtcli models
  mtcli translate --from en --to de -i letter.txt"""


@reports_errors
def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    traceback: TracebackOption = False,
) -> None:
    """List the models that --from and --to find: the one in the box, and yours.

    Yours are in ~/.local/share/mtcli/models, or in the folders that MTCLI_MODELS names.
    """
    from mtcli.model_directory.library import installed

    rows = [_row(model) for model in installed()]
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    shown = [_shown(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for cells in shown:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip())


def _row(model: "Installed") -> dict[str, Any]:
    from mtcli.errors import CheckpointError
    from mtcli.model_directory.card import PROVENANCE, card_of
    from mtcli.model_directory.files import WEIGHTS, read_json

    weights = model.directory / WEIGHTS
    row: dict[str, Any] = {
        "model": model.name,
        "megabytes": round(weights.stat().st_size / 1e6, 1) if weights.is_file() else None,
        "in_the_box": model.is_in_box,
        "directory": str(model.directory),
    }
    try:
        provenance = read_json(model.directory, PROVENANCE) if (model.directory / PROVENANCE).is_file() else {}
        row["license"] = card_of(provenance).license
        row["scores"] = {test["set"]: test["bleu"] for test in provenance.get("tests", [])}
    except (CheckpointError, AttributeError, KeyError, TypeError, ValueError):
        row |= {"license": "", "scores": {}}
    return row


def _shown(row: dict[str, Any]) -> list[str]:
    size = f"{row['megabytes']} MB" if row["megabytes"] is not None else "no weights yet"
    scores = ", ".join(f"BLEU {bleu:.1f} on {name}" for name, bleu in row["scores"].items())
    place = "in the box" if row["in_the_box"] else row["directory"]
    return [row["model"], size, place, scores, row["license"]]
