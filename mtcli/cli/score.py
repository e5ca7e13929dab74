"""`mtcli score`."""

import json
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtcli.cli.errors import TracebackOption, reports_errors
from mtcli.cli.options import (
    AttentionOption,
    DeviceOption,
    DtypeOption,
    EngineOption,
    ForceOption,
    LengthPenaltyOption,
    ModelOption,
    QuietOption,
    SentencesOption,
)
from mtcli.cli.streams import say
from mtcli.errors import UsageError, check_choice
from mtcli.files import STDIN

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
    src: Annotated[Path, typer.Option("--src", help="Source text, a sentence a line; - is stdin.")],
    tgt: Annotated[Path, typer.Option("--tgt", help="The translations to score, line by line; - is stdin.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to write; - is stdout.")] = None,
    length_penalty: LengthPenaltyOption = None,
    output_format: Annotated[
        str, typer.Option("--format", help="text (the score), tsv (score, log-probability, tokens, parts) or jsonl.")
    ] = "text",
    sentences: SentencesOption = None,
    engine: EngineOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    attention: AttentionOption = "auto",
    force: ForceOption = False,
    quiet: QuietOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Score given translations: how probable the model finds each target line, given its source line.

    One line a pair: log-probability / tokens**A in natural logarithms, as translate reports it for its own output.
    An empty target is scored by its end token. A pair with an empty source has no score: nan, null in jsonl, 0 parts.

    What translate would translate in parts is scored in parts, and they are added up: sentence beside sentence where
    both sides have as many; else as a whole, where the model reads so much at once; else the target is shared out among
    the source's parts by their lengths.
    """
    check_choice("--format", output_format, _FORMATS)
    if src == STDIN == tgt:
        raise UsageError("--src and --tgt cannot both come from standard input. Name a file for one of them.")
    from mtcli.data.corpus import ParallelCorpus
    from mtcli.decoding.backend import Backend
    from mtcli.decoding.options import ComputeOptions, TranslateOptions
    from mtcli.decoding.scoring import score_pairs
    from mtcli.decoding.target_language import TargetLanguageCheck
    from mtcli.decoding.translator import way_to_search
    from mtcli.files import open_output, refuse_to_overwrite
    from mtcli.model_directory.model import StoredModel

    options = TranslateOptions(length_penalty=length_penalty, sentences=sentences)
    refuse_to_overwrite(output, force)
    stored = StoredModel(model)
    settings, search = way_to_search(stored, options, stored.architecture.decoding)
    compute = ComputeOptions(engine=engine, device=device, dtype=dtype, attention=attention)
    backend = Backend(stored, compute, search)
    if obstacle := backend.choice.obstacle:
        say(f"Scoring with PyTorch: {obstacle}")
    empty: list[int] = []
    check = TargetLanguageCheck(stored.tokenizers.src, say)
    with open_output(output) as stream:
        pairs = check.watch_pairs(ParallelCorpus(sides=((src, tgt),)))
        for index, score in enumerate(score_pairs(backend, pairs, settings.sentences)):
            if score is None:
                empty.append(index + 1)
            stream.write(_line(index, score, settings.length_penalty, output_format).encode())
    if empty:
        say(f"Warning: {_in_words(empty)}.")


def _in_words(lines: list[int]) -> str:
    if len(lines) == 1:
        return f"line {lines[0]} has an empty source, and so no score"
    return f"{len(lines):,} lines have an empty source, the first is line {lines[0]}, and so no score"


def _line(index: int, score: "TargetScore | None", penalty: float, form: str) -> str:
    normalised = score.normalised(penalty) if score else nan
    log_prob, num_tokens, parts = (score.log_prob, score.num_tokens, score.parts) if score else (nan, 0, 0)
    if form == "jsonl":
        record = {"id": index, "score": normalised, "log_prob": log_prob, "num_tokens": num_tokens, "parts": parts}
        return json.dumps(record if score else {**record, "score": None, "log_prob": None}) + "\n"
    return f"{normalised:.6f}\n" if form == "text" else f"{normalised:.6f}\t{log_prob:.6f}\t{num_tokens}\t{parts}\n"
