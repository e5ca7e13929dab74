"""`mtcli evaluate`."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtcli.cli.errors import TracebackOption, printable, reports_errors
from mtcli.cli.options import (
    AttentionOption,
    BatchTokensOption,
    BeamOption,
    DeviceOption,
    DtypeOption,
    EngineOption,
    GreedyOption,
    LengthPenaltyOption,
    SentencesOption,
    SetOption,
    beam_size,
    decoding_settings,
    token_budget,
)
from mtcli.cli.streams import say
from mtcli.errors import DataError, UsageError
from mtcli.files import STDIN, display_name, read_lines

if TYPE_CHECKING:
    from mtcli.decoding.options import ComputeOptions, TranslateOptions
    from mtcli.evaluation.metrics import Scores

NAME = "evaluate"
EXAMPLE = """\b
Examples:
  mtcli evaluate -m en-de --src test.en --ref test.de
  mtcli evaluate --hyp output.de --ref test.de --json
  mtcli evaluate --hyp ours.de --hyp theirs.de --ref first.de --ref second.de"""

_METRICS = {"bleu": "BLEU", "chrf": "chrF", "ter": "TER"}


@reports_errors
def command(
    ref: Annotated[
        list[Path],
        typer.Option("--ref", help="Reference translations, a sentence a line; give it again for more references."),
    ],
    model: Annotated[Path | None, typer.Option("-m", "--model", help="Translate --src with this model.")] = None,
    src: Annotated[Path | None, typer.Option("--src", help="Source text for the model.")] = None,
    hyp: Annotated[
        list[Path] | None,
        typer.Option("--hyp", help="Translations to score, instead of a model's; give it again for more systems."),
    ] = None,
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
    engine: EngineOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    attention: AttentionOption = "auto",
    traceback: TracebackOption = False,
) -> None:
    """Score translations with sacreBLEU: BLEU, chrF and TER, each with its signature.

    Either translates --src with a model, or scores finished translations given as --hyp. Several references count
    together: what agrees with any of them is right. Several --hyp make a table, a system a row.
    """
    if (not hyp) == (model is None):
        raise UsageError("Give either --hyp F, or -m DIR with --src F.")
    if model is not None and src is None:
        raise UsageError("-m DIR needs --src F: the text to translate.")
    _refuse_twice(ref, hyp or [], src)
    from mtcli.decoding.options import ComputeOptions, TranslateOptions

    options = TranslateOptions(
        beam_size=beam_size(beam, greedy),
        length_penalty=length_penalty,
        batch_tokens=token_budget(batch_tokens),
        sentences=sentences,
        repair=False,  # what is scored is the model
        settings=decoding_settings(assignments),
    )
    from mtcli.evaluation.metrics import bleu_metric, score_corpus

    bleu_metric(tokenize, lowercase)  # a tokenizer that is not there should not cost a translation first
    references = _read_alike(ref)
    began = time.monotonic()
    decoded_with: int | None = None
    if model is not None and src is not None:
        sources = _read_alike([ref[0], src], references[0])[1]
        compute = ComputeOptions(engine=engine, device=device, dtype=dtype, attention=attention)
        hypotheses, decoded_with = _translate(model, sources, options, compute)
        systems = [(str(model), hypotheses)]
    else:
        paths = hyp or []
        systems = list(zip(map(str, paths), _read_alike([ref[0], *paths], references[0])[1:], strict=True))
    seconds = time.monotonic() - began
    scored = [
        (name, score_corpus(lines, *references, tokenize=tokenize, lowercase=lowercase)) for name, lines in systems
    ]
    _advise(tokenize, references, [lines for _, lines in systems])
    if as_json:
        facts = {"set": ", ".join(path.name for path in ref), "beam": decoded_with}
        print(json.dumps({**facts, **_as_object(scored), "seconds": round(seconds, 3)}, ensure_ascii=False))
    elif len(scored) == 1:
        _print_scores(scored[0][1], seconds)
    else:
        _print_systems(scored)


def _refuse_twice(ref: Sequence[Path], hyp: Sequence[Path], src: Path | None) -> None:
    """Refuse a file that would count twice, and standard input, which can be read once."""
    for option, paths in (("--ref", ref), ("--hyp", hyp)):
        if twice := [path for path, count in Counter(paths).items() if count > 1]:
            raise UsageError(f"{option} {twice[0]} is given twice. Name each file once.")
    if [*ref, *hyp, src].count(STDIN) > 1:
        raise UsageError(
            "Only one of --ref, --hyp and --src can come from standard input (-). Name files for the others."
        )


def _read_alike(paths: Sequence[Path], first: list[str] | None = None) -> list[list[str]]:
    """Read files of equally many lines; `first` is what the first one holds, where it has been read.

    Raises:
        DataError: one cannot be read, or has another number of lines.
    """
    texts = [first] if first is not None else []
    for path in paths[len(texts) :]:
        texts.append(list(read_lines(path)))
        if len(texts[-1]) != len(texts[0]):
            raise DataError(
                f"{display_name(path)} has {len(texts[-1])} lines and {display_name(paths[0])} has {len(texts[0])}: "
                "line i of one must belong to line i of the other."
            )
    return texts


def _translate(
    model: Path, sources: list[str], options: "TranslateOptions", compute: "ComputeOptions"
) -> tuple[list[str], int]:
    """Translate the lines; returns the beam as well."""
    from mtcli.decoding.target_language import TargetLanguageCheck
    from mtcli.decoding.translator import Translator
    from mtcli.model_directory.model import StoredModel

    translator = Translator.computing(StoredModel(model), compute)
    if obstacle := translator.backend.choice.obstacle:
        say(f"Decoding with PyTorch: {obstacle}")
    sources = list(TargetLanguageCheck(translator.model.tokenizers.src, say).watch(sources))
    beam = options.resolve(translator.options).beam_size
    return [translation.text for translation in translator.translate(sources, options)], beam


def _advise(tokenize: str | None, references: Sequence[list[str]], hypotheses: Sequence[list[str]]) -> None:
    """Say where BLEU's tokenizer does not suit the text."""
    from mtcli.evaluation.tokenizers import advice, tokenised_advice

    hints = [advice(tokenize, [line for lines in references for line in lines])]
    hints += [tokenised_advice(tokenize, lines) for lines in hypotheses]
    for hint in filter(None, dict.fromkeys(hints)):
        say(f"Warning: {hint}")


def _as_object(scored: Sequence[tuple[str, "Scores"]]) -> dict[str, Any]:
    """One system's scores, or a list of what several have."""
    if len(scored) == 1:
        return asdict(scored[0][1])
    return {"systems": [{"system": name, **asdict(scores)} for name, scores in scored]}


def _print_scores(scores: "Scores", seconds: float) -> None:
    """A metric a row: a table on a terminal, tab-separated elsewhere."""
    rows = [(label, f"{getattr(scores, name):.2f}", scores.signatures[name]) for name, label in _METRICS.items()]
    if sys.stdout.isatty():
        _print_table(("metric", "score", "signature"), rows, f"{scores.lines:,} lines, {seconds:.1f} s to translate")
    else:
        _print_tabbed(rows)


def _print_systems(scored: Sequence[tuple[str, "Scores"]]) -> None:
    """A system a row: a table on a terminal, tab-separated elsewhere; each column with its signature."""
    rows = [(printable(name), *(f"{getattr(scores, metric):.2f}" for metric in _METRICS)) for name, scores in scored]
    signatures = scored[0][1].signatures.values()
    if sys.stdout.isatty():
        _print_table(("system", *_METRICS.values()), rows)
        print("\n".join(signatures))
    else:
        _print_tabbed([("system", *signatures), *rows])


def _print_tabbed(rows: Iterable[Sequence[str]]) -> None:
    for row in rows:
        print("\t".join(row))


def _print_table(header: Sequence[str], rows: Iterable[Sequence[str]], caption: str | None = None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*header, caption=caption)
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
