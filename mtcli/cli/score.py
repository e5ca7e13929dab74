"""`mtcli score`."""

from collections.abc import Iterator
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
    decoding_options,
    load,
)
from mtcli.errors import DataError, UsageError

if TYPE_CHECKING:
    from mtcli.data.corpus import SentencePair
    from mtcli.decoding.scoring import TargetScore
    from mtcli.model_directory.loading import LoadedModel

NAME = "score"
EXAMPLE = """\b
Example:
  mtcli score -m en-de --src test.en --tgt test.de"""

_FORMATS = ("text", "tsv", "jsonl")
_CHUNK = 2000  # pairs scored at once


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
    if output_format not in _FORMATS:
        raise UsageError(f"--format {output_format}: expected one of {', '.join(_FORMATS)}.")
    from mtcli.data.corpus import ParallelCorpus
    from mtcli.files import open_output, refuse_to_overwrite

    refuse_to_overwrite(output, force)
    loaded = load(model, device, dtype, attention)
    penalty = decoding_options(loaded, length_penalty=length_penalty).length_penalty
    with open_output(output) as stream:
        for index, score in enumerate(_scores(loaded, iter(ParallelCorpus(sides=((src, tgt),))))):
            stream.write(_line(index, score, penalty, output_format).encode())


def _scores(model: "LoadedModel", pairs: "Iterator[SentencePair]") -> "Iterator[TargetScore | None]":
    """The score of each pair in order; None where a side is empty."""
    from itertools import islice

    from mtcli.decoding.scheduler import token_batches
    from mtcli.decoding.scoring import score_targets

    src, tgt, longest, done = model.tokenizers.src, model.tokenizers.tgt, model.network.max_positions, 0
    while chunk := list(islice(pairs, _CHUNK)):
        sources = [[*tokens, src.eos_id] for tokens in src.encode_batch([pair.src for pair in chunk])]
        targets = [[*tokens, tgt.eos_id] for tokens in tgt.encode_batch([pair.tgt for pair in chunk])]
        for place, pair in enumerate(zip(sources, targets, strict=True), start=done + 1):
            if (length := max(map(len, pair))) > longest:
                raise DataError(f"Line {place} has {length} tokens; this model scores up to {longest}. Split the line.")
        done += len(chunk)
        whole = [i for i in range(len(chunk)) if len(sources[i]) > 1 and len(targets[i]) > 1]
        results: list[TargetScore | None] = [None] * len(chunk)
        for batch in token_batches([max(len(sources[i]), len(targets[i])) for i in whole], 2048):
            places = [whole[place] for place in batch]
            found = score_targets(
                model.network, [sources[i] for i in places], [targets[i] for i in places], tgt.start_id
            )
            for place, score in zip(places, found, strict=True):
                results[place] = score
        yield from results


def _line(index: int, score: "TargetScore | None", penalty: float, form: str) -> str:
    import json

    normalised = score.normalised(penalty) if score else 0.0
    log_prob, num_tokens = (score.log_prob, score.num_tokens) if score else (0.0, 0)
    if form == "jsonl":
        record = {"id": index, "score": normalised, "log_prob": log_prob, "num_tokens": num_tokens}
        return json.dumps(record) + "\n"
    return f"{normalised:.6f}\n" if form == "text" else f"{normalised:.6f}\t{log_prob:.6f}\t{num_tokens}\n"
