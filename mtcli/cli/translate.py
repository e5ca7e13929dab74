"""`mtcli translate`."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from mtcli.cli.errors import TracebackOption, reports_errors
from mtcli.cli.options import (
    AttentionOption,
    BatchTokensOption,
    BeamOption,
    DeviceOption,
    DtypeOption,
    ForceOption,
    GreedyOption,
    LengthPenaltyOption,
    OptionalModelOption,
    QuietOption,
    SetOption,
    beam_size,
    decoding_options,
    load,
    one_of,
    say,
)
from mtcli.errors import UsageError
from mtcli.model_directory.box import DIRECTION, IN_THE_BOX

NAME = "translate"
EXAMPLE = """\b
Examples:
  echo 'Where is the station?' | mtcli translate
  mtcli translate -m en-de -i book.en.xz -o book.de --beam-size 5
  mtcli translate -m en-de --n-best 3 --format jsonl < in.txt
  mtcli translate -m en-de --output-dir out/ chapters/*.txt
  mtcli translate -m en-de --input-format tsv -i memory.tsv -o memory.de.tsv"""

_FORMATS = ("text", "tsv", "moses", "jsonl")
_STDIN = Path("-")


@reports_errors
def command(
    model: OptionalModelOption = None,
    files: Annotated[list[Path] | None, typer.Argument(help="Files to translate, one after the other.")] = None,
    input_file: Annotated[Path | None, typer.Option("-i", "--input", help="The file to translate; - is stdin.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to write; - is stdout.")] = None,
    output_dir: Annotated[
        Path | None, typer.Option("--output-dir", help="Write each input's translation here, under its own name.")
    ] = None,
    beam: BeamOption = None,
    greedy: GreedyOption = False,
    n_best: Annotated[int, typer.Option("--n-best", min=1, help="Translations a line, at most the beam.")] = 1,
    length_penalty: LengthPenaltyOption = None,
    input_format: Annotated[
        str, typer.Option("--input-format", help="text, tsv (the first column is translated) or jsonl (the `text`).")
    ] = "text",
    output_format: Annotated[
        str, typer.Option("--format", help="text, tsv (id, rank, score, text), moses or jsonl.")
    ] = "text",
    alignments: Annotated[
        Path | None, typer.Option("--alignments", help="Write word alignments here, a line each, such as 0-0 1-2.")
    ] = None,
    on_bad_utf8: Annotated[
        str, typer.Option("--on-bad-utf8", help="error, or replace: put U+FFFD in its place and go on.")
    ] = "error",
    stats: Annotated[Path | None, typer.Option("--stats", help="Write counts and times here, as JSON.")] = None,
    verify: Annotated[
        int, typer.Option("--verify", min=0, metavar="N", help="Translate N random lines again, alone, and compare.")
    ] = 0,
    fast: Annotated[
        bool, typer.Option("--fast", help="Let a translation depend, in its last bits, on what is translated with it.")
    ] = False,
    batch_tokens: BatchTokensOption = None,
    assignments: SetOption = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    attention: AttentionOption = "auto",
    force: ForceOption = False,
    quiet: QuietOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Translate text, a line at a time: line i of the output is the translation of line i.

    Reads raw text and writes detokenised text, in order, as lines finish. Blank lines stay blank. Scores are
    natural-log probabilities. Other columns of TSV and other fields of JSON are passed through.

    From files to files, the same command goes on where it was stopped or killed, and does nothing when all is done.
    """
    one_of("--format", output_format, _FORMATS)
    one_of("--input-format", input_format, ("text", "tsv", "jsonl"))
    one_of("--on-bad-utf8", on_bad_utf8, ("error", "replace"))
    if n_best > 1 and output_format == "text":
        raise UsageError("--format text has room for one translation a line. With --n-best use tsv, moses or jsonl.")
    if files and input_file:
        raise UsageError("Give the input as -i FILE or as positional files, not both.")
    if output and output_dir:
        raise UsageError("Give the output as -o FILE or as --output-dir DIR, not both.")
    size = beam_size(beam, greedy)
    if size is not None and n_best > size:
        raise UsageError(f"--n-best {n_best} needs a beam of at least {n_best}; --beam-size is {size}.")
    from mtcli.cli.signals import tidy_when_stopped
    from mtcli.jobs.outputs import outputs_in
    from mtcli.jobs.pipeline import FileJob
    from mtcli.jobs.run import execute, outputs_of, up_to_date

    if model is None:
        say(f"Translating with the model in the box, {DIRECTION} (-m takes another).", quiet)
        model = IN_THE_BOX
    inputs = files or [input_file or _STDIN]
    job = FileJob(
        inputs=inputs,
        outputs=outputs_in(output_dir, inputs) if output_dir else [output],
        input_format=input_format,
        output_format=output_format,
        on_bad_utf8=on_bad_utf8,
        alignments=alignments,
        stats=stats,
    )
    settings = {
        "beam": size,
        "n_best": n_best,
        "length_penalty": length_penalty,
        "batch_tokens": batch_tokens,
        "assignments": assignments,
        "attention": attention,
        "fast": fast,
        "format": output_format,
        "input_format": input_format,
        "on_bad_utf8": on_bad_utf8,
    }
    with ExitStack() as stack:
        stack.enter_context(tidy_when_stopped())
        saved = stack.enter_context(
            outputs_of(job, model, settings, device=device, dtype=dtype, force=force, verify=verify, quiet=quiet)
        )
        if saved and saved.is_done:
            say(up_to_date(job), quiet)
            return
        began = time.monotonic()
        loaded = load(model, device, dtype, attention)
        options = decoding_options(
            loaded, beam=size, length_penalty=length_penalty, batch_tokens=batch_tokens, assignments=assignments
        )
        from mtcli.decoding.translator import Translator

        translator, seconds = Translator(loaded, options, independent=not fast), time.monotonic() - began
        execute(job, translator, saved, n_best=n_best, verify=verify, load_seconds=seconds, quiet=quiet)
