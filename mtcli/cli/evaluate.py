"""`mtcli evaluate`."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtcli.cli.errors import TracebackOption, reports_errors
from mtcli.cli.options import (
    AttentionOption,
    BatchTokensOption,
    BeamOption,
    DeviceOption,
    DtypeOption,
    GreedyOption,
    LengthPenaltyOption,
    SentencesOption,
    SetOption,
    beam_size,
    decoding_settings,
    token_budget,
)
from mtcli.errors import DataError, UsageError
from mtcli.files import read_lines

if TYPE_CHECKING:
    from mtcli.evaluation.metrics import Scores

NAME = "evaluate"
EXAMPLE = """\b
Examples:
  mtcli evaluate -m en-de --src test.en --ref test.de
  mtcli evaluate --hyp output.de --ref test.de --json"""


@reports_errors
def command(
    ref: Annotated[Path, typer.Option("--ref", help="Reference translations, a sentence a line.")],
    model: Annotated[Path | None, typer.Option("-m", "--model", help="Translate --src with this model.")] = None,
    src: Annotated[Path | None, typer.Option("--src", help="Source text for the model.")] = None,
    hyp: Annotated[Path | None, typer.Option("--hyp", help="Translations to score, instead of a model's.")] = None,
    beam: BeamOption = None,
    greedy: GreedyOption = False,
    length_penalty: LengthPenaltyOption = None,
    tokenize: Annotated[
        str | None,
        typer.Option("--tokenize", help="BLEU's tokenizer: 13a (default), none, intl, char, zh, ko-mecab."),
    ] = None,
    lowercase: Annotated[bool, typer.Option("--lowercase", help="Compare in lower case.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    batch_tokens: BatchTokensOption = None,
    sentences: SentencesOption = None,
    assignments: SetOption = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    attention: AttentionOption = "auto",
    traceback: TracebackOption = False,
) -> None:
    """Score translations with sacreBLEU: BLEU, chrF and TER, each with its signature.

    Either translates --src with a model, or scores finished translations given as --hyp.
    """
    if (hyp is None) == (model is None):
        raise UsageError("Give either --hyp F, or -m DIR with --src F.")
    if model is not None and src is None:
        raise UsageError("-m DIR needs --src F: the text to translate.")
    from mtcli.decoding.options import ComputeOptions, TranslateOptions

    options = TranslateOptions(
        beam_size=beam_size(beam, greedy),
        length_penalty=length_penalty,
        batch_tokens=token_budget(batch_tokens),
        sentences=sentences,
        settings=decoding_settings(assignments),
    )
    from mtcli.evaluation.metrics import bleu_metric, score_corpus
    from mtcli.evaluation.tokenizers import advice, tokenised_advice

    bleu_metric(tokenize, lowercase)  # a tokenizer that is not there should not cost a translation first
    references = list(read_lines(ref))
    began = time.monotonic()
    decoded_with: int | None = None
    if model is not None and src is not None:
        sources = list(read_lines(src))
        _check_lines(src, len(sources), ref, len(references))
        from mtcli.decoding.loading import load_for
        from mtcli.decoding.translator import Translator

        loaded = load_for(model, ComputeOptions(device=device, dtype=dtype, attention=attention))
        translator, decoded_with = Translator(loaded), options.resolve(loaded.architecture.decoding).beam_size
        hypotheses = [translation.text for translation in translator.translate(sources, options)]
    else:
        assert hyp is not None
        hypotheses = list(read_lines(hyp))
        _check_lines(hyp, len(hypotheses), ref, len(references))
    seconds = time.monotonic() - began
    scores = score_corpus(hypotheses, references, tokenize=tokenize, lowercase=lowercase)
    for hint in (advice(tokenize, references), tokenised_advice(tokenize, hypotheses)):
        if hint:
            print(f"Warning: {hint}", file=sys.stderr)
    if as_json:
        told = {"set": ref.name, "beam": decoded_with}
        print(json.dumps({**told, **asdict(scores), "seconds": round(seconds, 3)}, ensure_ascii=False))
    else:
        _print_table(scores, seconds)


def _check_lines(left: Path, left_count: int, right: Path, right_count: int) -> None:
    if left_count != right_count:
        raise DataError(
            f"{left} has {left_count} lines and {right} has {right_count}: "
            "line i of one must belong to line i of the other."
        )


def _print_table(scores: "Scores", seconds: float) -> None:
    """A table on a terminal, tab-separated lines elsewhere."""
    from rich.console import Console
    from rich.table import Table

    rows = [(name, f"{getattr(scores, name.lower()):.2f}", scores.signatures[name.lower()]) for name in _NAMES]
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(row))
        return
    table = Table("metric", "score", "signature", caption=f"{scores.lines:,} lines, {seconds:.1f} s to translate")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


_NAMES = ("BLEU", "chrF", "TER")
