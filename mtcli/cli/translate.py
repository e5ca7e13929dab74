"""`mtcli translate`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from mtcli.errors import ExitCode, UsageError, check_choice
from mtcli.model_directory.box import DIRECTION, IN_THE_BOX

if TYPE_CHECKING:
    from mtcli.cli.terminal import Terminal
    from mtcli.decoding.options import ComputeOptions, TranslateOptions

NAME = "translate"
EXAMPLE = """\b
Examples:
  echo 'Where is the station?' | mtcli translate
  mtcli translate -m en-de -i book.en.xz -o book.de --beam-size 5
  mtcli translate -m en-de --n-best 3 --format jsonl < in.txt
  mtcli translate -m en-de --output-dir out/ chapters/*.txt
  mtcli translate manual.docx -o handbuch.docx --report report.txt
  mtcli translate --from en --to de -i letter.txt
  mtcli translate -m en-de --input-format tsv -i memory.tsv -o memory.de.tsv"""

_STDIN = Path("-")


@reports_errors
def command(
    model: OptionalModelOption = None,
    source_language: Annotated[
        str | None, typer.Option("--from", metavar="CODE", help="Find the model by what it reads (mtcli models).")
    ] = None,
    target_language: Annotated[
        str | None, typer.Option("--to", metavar="CODE", help="Find the model by what it writes (mtcli models).")
    ] = None,
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
        str | None,
        typer.Option(
            "--input-format",
            help="text, tsv (the first column is translated), jsonl (the `text`), or a kind of document, as docx; by "
            "default a document's by its suffix, else text.",
        ),
    ] = None,
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
    protect: Annotated[
        list[str] | None, typer.Option("--protect", metavar="REGEX", help="In documents, keep what matches as it is.")
    ] = None,
    fuzzy: Annotated[bool, typer.Option("--fuzzy", help="Translate a catalogue's unreviewed entries again.")] = False,
    wrap: Annotated[
        int, typer.Option("--wrap", min=0, metavar="N", help="Wrap plain text of documents to N columns; 0: as it was.")
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
        Path | None,
        typer.Option(
            "--report",
            help="Write what checks find here, and of documents what became of each segment: .json, .html (of lines), "
            "or else text.",
        ),
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
    """Translate text, a line at a time: line i of the output is the translation of line i. Or documents.

    Reads raw text and writes detokenised text, in order, as lines finish. Blank lines stay blank. Scores are
    natural-log probabilities. Other columns of TSV and other fields of JSON are passed through.

    A document, known by its suffix (mtcli translate report.docx -o bericht.docx), keeps everything but its words.

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
        from mtcli.formats.documents.registry import FORMATS, are_documents
        from mtcli.formats.lines import INPUT_FORMATS
        from mtcli.jobs.job import FileJob
        from mtcli.jobs.outputs import outputs_in
        from mtcli.jobs.run import translate_files

    terminal = Terminal(quiet)
    model = _chosen(model, source_language, target_language, terminal)
    if input_format:
        check_choice("--input-format", input_format, (*INPUT_FORMATS, *FORMATS))
    inputs = files or [input_file or _STDIN]
    options = TranslateOptions(
        beam_size=beam_size(beam, greedy),
        n_best=n_best,
        length_penalty=length_penalty,
        batch_tokens=token_budget(batch_tokens),
        sentences=sentences,
        repair=not no_repair,
        flag=fail_on_flags,
        settings=decoding_settings(assignments),
    )
    compute = ComputeOptions(engine=engine, device=device, dtype=dtype, attention=attention, fast=fast)
    if are_documents(inputs, input_format):
        of_lines = {
            "--n-best": n_best > 1,
            "--format": output_format != "text",
            "--alignments": alignments,
            "--stats": stats,
            "--verify": verify,
            "--on-bad-utf8": on_bad_utf8 != "error",
            "--flag": flag,
            "--fail-on-flags": fail_on_flags,
        }
        _refuse(of_lines, "is for lines, and the input is a document. With --input-format text it is read as lines.")
        _translate_documents(
            inputs,
            outputs_in(output_dir, inputs) if output_dir else [output],
            model,
            options,
            compute,
            terminal,
            form=input_format or "",
            protect=tuple(protect or ()),
            reading={
                "fuzzy": fuzzy,
                "wrap": wrap,
                "source_language": source_language or "",
                "target_language": target_language or "",
            },
            report=report,
            force=force,
        )
        return
    _refuse({"--protect": protect, "--fuzzy": fuzzy, "--wrap": wrap}, "is for documents.")
    job = FileJob(
        inputs=inputs,
        outputs=[output],
        model=model,
        options=options,
        compute=compute,
        input_format=input_format or "text",
        output_format=output_format,
        on_bad_utf8=on_bad_utf8,
        flag=flag,
        alignments=alignments,
        report=report,
        stats=stats,
        verify=verify,
        force=force,
    )
    if output_dir:
        job = replace(job, outputs=outputs_in(output_dir, inputs))
    with tidy_when_stopped():
        flagged = translate_files(job, terminal)
    if fail_on_flags and flagged:
        raise typer.Exit(ExitCode.FAILURE)


def _chosen(model: Path | None, source: str | None, target: str | None, terminal: "Terminal") -> Path:
    """The model that is named, or found by its languages, or in the box; tells which, where nobody named it."""
    if model is not None:
        return model
    if source or target:
        from mtcli.model_directory.library import find

        found = find(source, target)
        place = "the model in the box" if found.is_in_box else str(found.directory)
        terminal.say(f"Translating with {place}, {found.name} (-m takes another).")
        return found.directory
    terminal.say(f"Translating with the model in the box, {DIRECTION} (-m takes another).")
    return IN_THE_BOX


def _refuse(options: Mapping[str, object], why: str) -> None:
    """Refuse options that do not go with the input.

    Raises:
        UsageError: one is given.
    """
    if given := [name for name, value in options.items() if value]:
        raise UsageError(f"{given[0]} {why}")


def _translate_documents(
    inputs: Sequence[Path],
    outputs: Sequence[Path | None],
    model: Path,
    options: "TranslateOptions",
    compute: "ComputeOptions",
    terminal: "Terminal",
    *,
    form: str,
    protect: tuple[str, ...],
    reading: Mapping[str, Any],
    report: Path | None,
    force: bool,
) -> None:
    with importing():
        from mtcli.documents.translate import DocumentOptions
        from mtcli.formats.documents.model import ReadOptions
        from mtcli.jobs.document_job import DocumentJob
        from mtcli.jobs.document_run import translate_documents

    job = DocumentJob(
        inputs=inputs,
        outputs=outputs,
        model=model,
        options=options,
        compute=compute,
        form=form,
        documents=DocumentOptions(protect=protect),
        reading=ReadOptions(**reading),
        report=report,
        force=force,
    )
    with tidy_when_stopped():
        translate_documents(job, terminal)
