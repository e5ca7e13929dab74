"""`mtcli translate`."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtcli.cli.outcome import TracebackOption, reports_errors
from mtcli.cli.translating import (
    BatchTokensOption,
    BeamOption,
    DeviceOption,
    DtypeOption,
    ForceOption,
    GreedyOption,
    LengthPenaltyOption,
    ModelOption,
    QuietOption,
    SetOption,
    beam_size,
    decoding_options,
    load,
    say,
)
from mtcli.errors import MtcliError, UsageError

if TYPE_CHECKING:
    from mtcli.decoding.translator import Translator

NAME = "translate"
EXAMPLE = """\b
Examples:
  echo 'Where is the station?' | mtcli translate -m en-de
  mtcli translate -m en-de -i book.en.xz -o book.de --beam-size 5
  mtcli translate -m en-de --n-best 3 --format jsonl < in.txt"""

_FORMATS = ("text", "tsv", "moses", "jsonl")
_WINDOW = 2000  # lines read ahead


@reports_errors
def command(
    model: ModelOption,
    files: Annotated[list[Path] | None, typer.Argument(help="Files to translate, one after the other.")] = None,
    input_file: Annotated[Path | None, typer.Option("-i", "--input", help="The file to translate; - is stdin.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to write; - is stdout.")] = None,
    beam: BeamOption = None,
    greedy: GreedyOption = False,
    n_best: Annotated[int, typer.Option("--n-best", min=1, help="Translations a line, at most the beam.")] = 1,
    length_penalty: LengthPenaltyOption = None,
    output_format: Annotated[
        str, typer.Option("--format", help="text, tsv (id, rank, score, text), moses or jsonl.")
    ] = "text",
    batch_tokens: BatchTokensOption = None,
    assignments: SetOption = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    force: ForceOption = False,
    quiet: QuietOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Translate text, a line at a time: line i of the output is the translation of line i.

    Reads raw text and writes detokenised text, in order, as lines finish. Blank lines stay blank. Scores are
    natural-log probabilities.
    """
    if output_format not in _FORMATS:
        raise UsageError(f"--format {output_format}: expected one of {', '.join(_FORMATS)}.")
    if n_best > 1 and output_format == "text":
        raise UsageError("--format text has room for one translation a line. With --n-best use tsv, moses or jsonl.")
    if files and input_file:
        raise UsageError("Give the input as -i FILE or as positional files, not both.")
    size = beam_size(beam, greedy)
    if size is not None and n_best > size:
        raise UsageError(f"--n-best {n_best} needs a beam of at least {n_best}; --beam-size is {size}.")
    from mtcli.decoding.translator import Translator
    from mtcli.files import refuse_to_overwrite

    refuse_to_overwrite(output, force)
    loaded = load(model, device, dtype)
    options = decoding_options(
        loaded, beam=size, length_penalty=length_penalty, batch_tokens=batch_tokens, assignments=assignments
    )
    _translate(Translator(loaded, options, n_best), files or [input_file or Path("-")], output, output_format, quiet)


def _translate(translator: "Translator", inputs: list[Path], output: Path | None, form: str, quiet: bool) -> None:
    from mtcli.cli.formats import FORMATS
    from mtcli.files import open_output

    began, lines_in, lines_out = time.monotonic(), _Counter(), 0
    with open_output(output) as stream:
        for window in _windows(inputs, lines_in):
            for translation in translator.translate_window(window):
                stream.write(FORMATS[form](lines_out, translation).encode())
                lines_out += 1
            stream.flush()
        if lines_in.count != lines_out:
            raise MtcliError(f"{lines_in.count} lines were read and {lines_out} written: this is a bug in mtcli.")
    seconds = time.monotonic() - began
    rate = translator.tokens_out / max(seconds, 1e-9)
    say(
        f"{lines_out:,} lines, {translator.tokens_out:,} target tokens in {seconds:.1f} s ({rate:,.0f} tokens/s).",
        quiet,
    )


class _Counter:
    def __init__(self) -> None:
        self.count = 0


def _windows(inputs: list[Path], counter: _Counter) -> Iterator[list[str]]:
    from mtcli.decoding.streaming import arriving_windows
    from mtcli.files import read_lines

    def lines() -> Iterator[str]:
        for path in inputs:
            for line in read_lines(path):
                counter.count += 1
                yield line

    return arriving_windows(lines(), _WINDOW)
