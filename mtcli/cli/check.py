"""`mtcli check`."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtcli.cli.errors import TracebackOption, reports_errors
from mtcli.cli.options import ForceOption, QuietOption
from mtcli.cli.streams import say
from mtcli.errors import DataError, ExitCode, UsageError
from mtcli.files import STDIN, display_name, is_compressed, open_output, refuse_to_overwrite, write_output

if TYPE_CHECKING:
    from mtcli.checking import CheckSettings
    from mtcli.checking.pairs import TranslatedLine
    from mtcli.checking.reports import CheckTally, Report

NAME = "check"
EXAMPLE = """\b
Examples:
  mtcli check --src article.en --tgt article.de
  mtcli check --src ui.en --tgt ui.ko --from en --to ko --html --report ui.html
  mtcli check --tsv memory.tsv --from en --to de --json --fail-on-flags
  mtcli translate -m en-de --format jsonl < in.txt | mtcli check --jsonl - --from en --to de
  mtcli check --src train.en --tgt train.de --calibrate en-de/checking.json"""

_CODE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*")


@reports_errors
def command(
    src: Annotated[Path | None, typer.Option("--src", help="Source text, a line each; - is stdin.")] = None,
    tgt: Annotated[Path | None, typer.Option("--tgt", help="Its translation, line by line; - is stdin.")] = None,
    tsv: Annotated[
        Path | None, typer.Option("--tsv", help="Instead: source<TAB>target on each line; - is stdin.")
    ] = None,
    jsonl: Annotated[
        Path | None, typer.Option("--jsonl", help="Instead: what mtcli translate --format jsonl writes; - is stdin.")
    ] = None,
    from_language: Annotated[
        str | None,
        typer.Option("--from", metavar="CODE", help="Language of the source, as in en; else from file names."),
    ] = None,
    to_language: Annotated[
        str | None, typer.Option("--to", metavar="CODE", help="Language of the target, as in de; else from file names.")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write the report here; - is stdout.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Report as one JSON object.")] = False,
    as_html: Annotated[bool, typer.Option("--html", help="Report as one page of HTML.")] = False,
    only: Annotated[
        str | None, typer.Option("--only", metavar="CHECKS", help="Run these checks alone, as in loop,echo,number.")
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option("--calibration", help="What is usual: a file that --calibrate wrote, or a directory with one."),
    ] = None,
    calibrate: Annotated[
        Path | None, typer.Option("--calibrate", help="Check nothing: write here what is usual in these pairs.")
    ] = None,
    fail_on_flags: Annotated[bool, typer.Option("--fail-on-flags", help="Exit 1 if anything was found.")] = False,
    force: ForceOption = False,
    quiet: QuietOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Check translations, a person's or a machine's: loops, copied text, changed numbers and placeholders, and more.

    A line is looked at beside its source, without a model. What is found is told by line, with its place marked; the
    last line on stderr counts it. Nothing found does not mean that a translation is good.
    """
    if as_json and as_html:
        raise UsageError("--json and --html contradict each other. Give one of them, or none for text.")
    lines = _pairs(src, tgt, tsv, jsonl)
    names = (src, tgt) if src and tgt else (tsv or jsonl,) * 2
    pair = _code("--from", from_language, names[0]), _code("--to", to_language, names[1])
    if calibrate is not None:
        _calibrate(lines, calibrate, force)
        return
    settings = _settings(only, calibration)
    refuse_to_overwrite(report, force)
    if not all(pair):
        say(
            "Languages not given: numbers are read in every way, and echo, script and language are not checked. "
            "Give --from and --to.",
            quiet,
        )
    tally = _check(lines, pair, settings, _report(report, as_json, as_html), report, (names[0], names[1]))
    say(tally.sentence(), quiet)
    if fail_on_flags and tally.flagged:
        raise typer.Exit(ExitCode.FAILURE)


def _pairs(src: Path | None, tgt: Path | None, tsv: Path | None, jsonl: Path | None) -> "Iterator[TranslatedLine]":
    from mtcli.checking.pairs import read_json_lines, read_sides, read_table

    if (src is None) != (tgt is None) or sum(one is not None for one in (src, tsv, jsonl)) != 1:
        raise UsageError("Give --src F with --tgt F, or --tsv F, or --jsonl F.")
    if src is not None and tgt is not None:
        if src == STDIN == tgt:
            raise UsageError("--src and --tgt cannot both come from standard input. Name a file for one of them.")
        return read_sides(src, tgt)
    return read_table(tsv) if tsv is not None else read_json_lines(jsonl or STDIN)


def _code(option: str, given: str | None, path: Path | None) -> str | None:
    """The language given, or the one that a file's name ends with: article.de, article.de.xz."""
    from mtcli.checking.languages import language_of

    if given is not None:
        if not _CODE.fullmatch(given):
            raise UsageError(f"{option} {given}: expected the code of a language, such as en, ko or pt-BR.")
        return given
    if path is None:
        return None
    suffixes = path.with_suffix("").suffix if is_compressed(path) else path.suffix
    code = suffixes.removeprefix(".")
    return code if language_of(code).scripts else None


def _settings(only: str | None, calibration: Path | None) -> "CheckSettings":
    from mtcli.checking import CHECK_NAMES, CheckSettings
    from mtcli.checking.calibration import read_calibration

    checks = None if only is None else frozenset(name.strip() for name in only.split(","))
    if checks is not None and (unknown := sorted(checks - set(CHECK_NAMES))):
        raise UsageError(f"--only {unknown[0]}: expected some of {', '.join(CHECK_NAMES)}, with commas between them.")
    settings = CheckSettings(checks=checks)
    return settings if calibration is None else read_calibration(calibration).applied_to(settings)


def _calibrate(lines: "Iterator[TranslatedLine]", path: Path, force: bool) -> None:
    from mtcli.checking.calibration import measure

    refuse_to_overwrite(path, force)
    try:
        found = measure(lines)
    except ValueError as error:
        raise DataError(f"Too little to know what is usual: {error}. Give more translations.") from None
    write_output(path, (json.dumps(found.to_json(), indent=1) + "\n").encode())


def _report(path: Path | None, as_json: bool, as_html: bool) -> "Report":
    from mtcli.checking.reports import HtmlReport, JsonReport, TextReport

    if as_json:
        return JsonReport()
    return HtmlReport() if as_html else TextReport(colour=path in (None, STDIN) and sys.stdout.isatty())


def _check(
    lines: "Iterator[TranslatedLine]",
    pair: tuple[str | None, str | None],
    settings: "CheckSettings",
    report: "Report",
    path: Path | None,
    names: tuple[Path | None, Path | None],
) -> "CheckTally":
    """Check line by line, and write each with findings at once; nothing is kept but counts."""
    from mtcli.checking import TranslationChecker
    from mtcli.checking.reports import CheckTally, FlaggedLine, ReportHead

    checker, tally = TranslationChecker(pair, settings), CheckTally()
    source, target = (display_name(name) if name else "" for name in names)
    with open_output(path) as output:
        output.write(
            report.begin(ReportHead(source=source, target=target, pair=(pair[0] or "", pair[1] or ""))).encode()
        )
        for number, line in enumerate(lines, start=1):
            tally.lines = number
            found = checker.check(line.source, line.target, log_prob=line.log_prob, num_tokens=line.num_tokens)
            if found:
                flagged = FlaggedLine(number, line.source, line.target, found)
                tally.add(flagged)
                output.write(report.add(flagged).encode(errors="backslashreplace"))
                if output.awaited:
                    output.flush()
        output.write(report.end(tally).encode())
    return tally
