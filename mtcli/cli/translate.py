"""`mtcli translate`."""

from dataclasses import replace
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
    EngineOption,
    ForceOption,
    GreedyOption,
    LengthPenaltyOption,
    NoRepairOption,
    OptionalModelOption,
    QuietOption,
    SentencesOption,
    SetOption,
    beam_size,
    decoding_settings,
    token_budget,
)
from mtcli.cli.signals import tidy_when_stopped
from mtcli.cli.startup import importing
from mtcli.errors import ExitCode, UsageError
from mtcli.model_directory.box import DIRECTION, IN_THE_BOX

NAME = "translate"
EXAMPLE = """\b
Examples:
  echo 'Where is the station?' | mtcli translate
  mtcli translate -m en-de -i book.en.xz -o book.de --beam-size 5
  mtcli translate -m en-de --n-best 3 --format jsonl < in.txt
  mtcli translate -m en-de --output-dir out/ chapters/*.txt
  mtcli translate -m en-de --input-format tsv -i memory.tsv -o memory.de.tsv"""

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
        bool, typer.Option("--fast", help="On a GPU, let a translation's last bits depend on its neighbours.")
    ] = False,
    batch_tokens: BatchTokensOption = None,
    sentences: SentencesOption = None,
    no_repair: NoRepairOption = False,
    flag: Annotated[
        bool, typer.Option("--flag", help="Write what checks find beside each translation (tsv, jsonl).")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write what checks find here: .json, .html, or else text.")
    ] = None,
    fail_on_flags: Annotated[bool, typer.Option("--fail-on-flags", help="Exit 1 if checks found anything.")] = False,
    assignments: SetOption = None,
    engine: EngineOption = "auto",
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

    Translations that checks find at fault are repaired where that can be done; --no-repair leaves them as they are.

    From files to files, the same command goes on where it was stopped or killed, and does nothing when all is done.
    """
    if files and input_file:
        raise UsageError("Give the input as -i FILE or as positional files, not both.")
    if output and output_dir:
        raise UsageError("Give the output as -o FILE or as --output-dir DIR, not both.")
    with importing():
        from mtcli.cli.terminal import Terminal
        from mtcli.decoding.options import ComputeOptions, TranslateOptions
        from mtcli.jobs.job import FileJob
        from mtcli.jobs.outputs import outputs_in
        from mtcli.jobs.run import translate_files

    inputs = files or [input_file or _STDIN]
    job = FileJob(
        inputs=inputs,
        outputs=[output],
        model=model or IN_THE_BOX,
        options=TranslateOptions(
            beam_size=beam_size(beam, greedy),
            n_best=n_best,
            length_penalty=length_penalty,
            batch_tokens=token_budget(batch_tokens),
            sentences=sentences,
            repair=not no_repair,
            flag=fail_on_flags,
            settings=decoding_settings(assignments),
        ),
        compute=ComputeOptions(engine=engine, device=device, dtype=dtype, attention=attention, fast=fast),
        input_format=input_format,
        output_format=output_format,
        on_bad_utf8=on_bad_utf8,
        flag=flag,
        alignments=alignments,
        report=report,
        stats=stats,
        verify=verify,
        force=force,
    )
    terminal = Terminal(quiet)
    if model is None:
        terminal.say(f"Translating with the model in the box, {DIRECTION} (-m takes another).")
    if output_dir:
        job = replace(job, outputs=outputs_in(output_dir, inputs))
    with tidy_when_stopped():
        flagged = translate_files(job, terminal)
    if fail_on_flags and flagged:
        raise typer.Exit(ExitCode.FAILURE)
