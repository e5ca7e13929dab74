"""`mtcli quantize`."""

import json
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtcli.cli.errors import TracebackOption, reports_errors
from mtcli.cli.streams import say
from mtcli.errors import DataError, UsageError
from mtcli.files import STDIN, display_name, read_lines

if TYPE_CHECKING:
    from mtcli.decoding.int8_check import Int8Comparison

NAME = "quantize"
EXAMPLE = """\b
Examples:
  mtcli quantize runs/en-de
  mtcli quantize opus-en-de --src dev.en --ref dev.de
  mtcli quantize en-de --src article.en"""

_RUNS_OWN = "its validation set"


@reports_errors
def command(
    model: Annotated[Path, typer.Argument(help="A model directory.")],
    src: Annotated[
        Path | None, typer.Option("--src", help="Text to translate; else the validation set that a run keeps.")
    ] = None,
    ref: Annotated[Path | None, typer.Option("--ref", help="Its reference translations, a sentence a line.")] = None,
    lines: Annotated[int | None, typer.Option("--lines", min=1, help="Take the first N lines alone.")] = None,
    tokenize: Annotated[
        str | None,
        typer.Option("--tokenize", help="BLEU's tokenizer, as for mtcli evaluate; else one that suits the script."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    traceback: TracebackOption = False,
) -> None:
    """Compare what int8 and float32 make of a text on a CPU, and mark a model that loses nothing by int8.

    Where int8 loses at most 0.15 BLEU and 0.15 chrF on 100 lines or more, that is written into the model's directory,
    and --dtype auto computes in int8 from then on. Else nothing is written, and an earlier mark stays.
    Without references both are only compared. The weights in the directory stay as they are: they are rounded when
    they are loaded.
    """
    if ref is not None and src is None:
        raise UsageError("--ref F needs --src F: the text that it translates.")
    if src == STDIN == ref:
        raise UsageError("--src and --ref cannot both come from standard input. Name a file for one of them.")
    from mtcli.decoding.int8_check import compare_int8
    from mtcli.evaluation.tokenizers import DEFAULT, suited_tokenizer

    sources, references, name = _text(model, src, ref, lines)
    tokenizer = tokenize or (suited_tokenizer(references) if references else DEFAULT)
    _prepare(model, sources, tokenizer)
    comparison = compare_int8(model, sources, references, text=name, tokenize=tokenizer)
    if as_json:
        print(json.dumps(_as_object(comparison), ensure_ascii=False))
    else:
        _print(comparison)
    _settle(model, comparison)


def _text(
    model: Path, src: Path | None, ref: Path | None, lines: int | None
) -> tuple[list[str], list[str] | None, str]:
    """Source lines, reference lines where there are any, and the name of the text."""
    if src is None:
        sources, references = _validation_text(model)
        return sources[:lines], references[:lines], _RUNS_OWN
    sources = list(islice(read_lines(src), lines))
    if ref is None:
        return sources, None, src.name
    references = list(islice(read_lines(ref), lines))
    if len(sources) != len(references):
        raise DataError(
            f"{display_name(src)} has {len(sources)} lines and {display_name(ref)} has {len(references)}: "
            "line i of one must belong to line i of the other."
        )
    return sources, references, ref.name


def _validation_text(model: Path) -> tuple[list[str], list[str]]:
    """The validation set of a training run.

    Raises:
        CheckpointError: the directory is no model.
        UsageError: it is no run's.
    """
    from mtcli.data.valid_set import ValidationText
    from mtcli.model_directory.card import PROVENANCE
    from mtcli.model_directory.files import read_json
    from mtcli.model_directory.model import StoredModel

    StoredModel(model)  # or it is said what is wrong with it
    data = read_json(model, PROVENANCE).get("data", {}) if (model / PROVENANCE).exists() else {}
    kept = model / "cache" / str(data.get("key"))
    if not kept.is_dir():
        raise UsageError(f"{model} keeps no validation set, as a training run does: give --src F and --ref F.")
    text = ValidationText.read(kept)
    return text.src, text.ref


def _prepare(model: Path, sources: Sequence[str], tokenizer: str) -> None:
    """Find out before any work what would end it, and warn of a wrong target language."""
    from mtcli.decoding.target_language import TargetLanguageCheck
    from mtcli.evaluation.metrics import bleu_metric
    from mtcli.model_directory.model import StoredModel

    bleu_metric(tokenizer, lowercase=False)
    list(TargetLanguageCheck(StoredModel(model).tokenizers.src, say).watch(sources))


def _settle(model: Path, comparison: "Int8Comparison") -> None:
    """Write the mark, or say why not."""
    from mtcli.model_directory.int8_mark import INT8_MARK, load_int8_mark, write_int8_mark

    if comparison.obstacle is None:
        write_int8_mark(model, comparison.mark())
        say(f"int8 may stand in: --dtype auto is int8 for {model} on a CPU from now on.")
        return
    say(f"Not marked: {comparison.obstacle}")
    if earlier := load_int8_mark(model):
        mark = model / INT8_MARK
        say(f"An earlier check found {earlier.sentence}: --dtype auto stays int8, unless you delete {mark}.")
    else:
        say("--dtype auto stays float32; --dtype int8 is there for whoever asks for it.")


def _as_object(comparison: "Int8Comparison") -> dict[str, Any]:
    translated, scores = comparison.translations, comparison.scores
    return {
        "set": comparison.text,
        "lines": comparison.num_lines,
        "beam": comparison.beam,
        **{
            dtype: {
                **({"bleu": scores[dtype].bleu, "chrf": scores[dtype].chrf} if scores else {}),
                "lines_per_second": round(one.lines_per_second, 2),
                "weight_bytes": one.num_bytes,
            }
            for dtype, one in translated.items()
        },
        "signatures": comparison.signatures,
        "same": comparison.same,
        "chrf_between": comparison.likeness,
        "passed": comparison.obstacle is None,
        "obstacle": comparison.obstacle,
    }


def _print(comparison: "Int8Comparison") -> None:
    """A number type a row: a table on a terminal, tab-separated elsewhere; then what the scores are."""
    header, *rows = _rows(comparison)
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        table = Table(*header)
        for row in rows:
            table.add_row(*row)
        Console().print(table)
    else:
        print("\n".join("\t".join(row) for row in (header, *rows)))
    print(
        f"{comparison.num_lines:,} lines of {comparison.text}, beam {comparison.beam}. {comparison.same:,} translations"
        f" are the same; int8's have chrF {comparison.likeness:.2f} with float32's as references."
    )
    for signature in comparison.signatures.values():
        print(signature)


def _rows(comparison: "Int8Comparison") -> list[tuple[str, ...]]:
    scores = comparison.scores
    rows: list[tuple[str, ...]] = [("dtype", *(("BLEU", "chrF") if scores else ()), "lines/s", "weights")]
    for dtype, one in comparison.translations.items():
        found = (f"{scores[dtype].bleu:.2f}", f"{scores[dtype].chrf:.2f}") if scores else ()
        rows.append((dtype, *found, f"{one.lines_per_second:,.1f}", f"{one.num_bytes / 1e6:.1f} MB"))
    return rows
