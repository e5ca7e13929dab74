"""`mtcli score`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtcli.cli.errors import TracebackOption, reports_errors
from mtcli.cli.options import (
    AttentionOption,
    DeviceOption,
    DtypeOption,
    ForceOption,
    LengthPenaltyOption,
    ModelOption,
    QuietOption,
)
from mtcli.errors import check_choice

if TYPE_CHECKING:
    from mtcli.decoding.scoring import TargetScore

NAME = "score"
EXAMPLE = """\b
Example:
  mtcli score -m en-de --src test.en --tgt test.de"""

_FORMATS = ("text", "tsv", "jsonl")


@reports_errors
def command(
    model: ModelOption,
    src: Annotated[Path, typer.Option("--src", help="Source text, a sentence a line.")],
    tgt: Annotated[Path, typer.Option("--tgt", help="The translations to score, line by line.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to write; - is stdout.")] = None,
    length_penalty: LengthPenaltyOption = None,
    output_format: Annotated[
        str, typer.Option("--format", help="text (the score), tsv (score, log-probability, tokens) or jsonl.")
    ] = "text",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    attention: AttentionOption = "auto",
    force: ForceOption = False,
    quiet: QuietOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Score given translations: how probable the model finds each target line, given its source line.

    One line a pair: log-probability / tokens**A in natural logarithms, as translate reports it for its own output.
    A pair with an empty side scores 0.
    """
    check_choice("--format", output_format, _FORMATS)
    from mtcli.data.corpus import ParallelCorpus
    from mtcli.decoding.loading import load_for
    from mtcli.decoding.options import ComputeOptions, TranslateOptions
    from mtcli.decoding.scoring import score_pairs
    from mtcli.files import open_output, refuse_to_overwrite

    options = TranslateOptions(length_penalty=length_penalty)
    refuse_to_overwrite(output, force)
    loaded = load_for(model, ComputeOptions(device=device, dtype=dtype, attention=attention))
    penalty = options.resolve(loaded.architecture.decoding).length_penalty
    with open_output(output) as stream:
        for index, score in enumerate(score_pairs(loaded, ParallelCorpus(sides=((src, tgt),)))):
            stream.write(_line(index, score, penalty, output_format).encode())


def _line(index: int, score: "TargetScore | None", penalty: float, form: str) -> str:
    normalised = score.normalised(penalty) if score else 0.0
    log_prob, num_tokens = (score.log_prob, score.num_tokens) if score else (0.0, 0)
    if form == "jsonl":
        record = {"id": index, "score": normalised, "log_prob": log_prob, "num_tokens": num_tokens}
        return json.dumps(record) + "\n"
    return f"{normalised:.6f}\n" if form == "text" else f"{normalised:.6f}\t{log_prob:.6f}\t{num_tokens}\n"
