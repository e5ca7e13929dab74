"""`mtcli doctor`."""

import json
from dataclasses import asdict
from itertools import chain
from typing import Annotated

import typer

from mtcli.cli.errors import TracebackOption, reports_errors
from mtcli.errors import ExitCode

NAME = "doctor"
EXAMPLE = """\b
Examples:
  mtcli doctor
  mtcli doctor --json > doctor.jsonl"""


@reports_errors
def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a finding.")] = False,
    traceback: TracebackOption = False,
) -> None:
    """Examine this machine and what is installed on it, and say what to do about what is wrong.

    Every way to decode that can run here translates some sentences, and is compared with PyTorch's plain operations.
    Exits 1 where something is wrong.
    """
    from mtcli.devices import prepare_cpu
    from mtcli.doctor import decoding, system
    from mtcli.doctor.findings import Status

    prepare_cpu()
    any_wrong = False
    for finding in chain(system.examine(), decoding.examine()):
        any_wrong |= finding.status is Status.WRONG
        if as_json:
            print(json.dumps(asdict(finding), ensure_ascii=False), flush=True)
            continue
        print(f"{finding.status:<6} {finding.subject}: {finding.found}", flush=True)
        if finding.advice:
            print(f"       -> {finding.advice}")
    if any_wrong:
        raise typer.Exit(ExitCode.FAILURE)
