"""What a newcomer sees: the README's first commands, run as they stand there, with what they print.

    .venv/bin/python -m benchmarks.first_minute

Runs in an empty folder, the output not on a terminal. benchmarks/report/pages.py puts the commands and what they printed
into README.md; a test there runs the commands again.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contest.machine import device_facts, mtcli_command, today, versions
from benchmarks.contest.records import Record, Result
from benchmarks.report.blocks import circumstances, wrapped

INSTALL = "make install"
COMMANDS = (
    "echo 'Where is the station?' | mtcli translate",
    "mtcli demo --write-corpus corpus",
    "mtcli train --config corpus/demo.toml -o ko-en --max-steps 400",
    "mtcli translate -m ko-en -i corpus/test.ko -o test.hyp.en",
    "paste corpus/test.ko test.hyp.en | sed -n 1,3p",
    "mtcli evaluate --hyp test.hyp.en --ref corpus/test.en",
)
ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "benchmarks" / "results" / "cpu" / "first-minute.json"
_SHOWN_FIRST, _SHOWN_LAST = 4, 4  # lines of a long output


class Shown(Record):
    """A command and the lines it printed, on either stream; None stands where lines are left out."""

    command: str
    lines: list[str | None]
    seconds: float


class FirstMinute(Result):
    """The README's first commands; `install` was run in a checkout, on top of what was installed already."""

    install: Shown
    shown: list[Shown]


def install_block(text: str) -> str:
    """The README's block of the installation, of the result given as JSON."""
    shown = FirstMinute.model_validate_json(text).install
    lines = [f"$ {shown.command}", *_visible(shown.lines), "$ . .venv/bin/activate"]
    return "\n".join(["```console", *lines, "```"])


def first_minute_block(text: str) -> str:
    """The README's block of the result given as JSON."""
    result = FirstMinute.model_validate_json(text)
    lines = [line for shown in result.shown for line in (f"$ {wrapped(shown.command)}", *_visible(shown.lines))]
    seconds = sum(shown.seconds for shown in result.shown)
    return "\n".join(
        ["```console", *lines, "```", "", f"Together {seconds:.0f} seconds. {circumstances(result)}"],
    )


def _visible(lines: list[str | None]) -> list[str]:
    return ["..." if line is None else line for line in lines]


def show(command: str, folder: Path) -> Shown:
    """Run a command line in the folder; exits when it fails."""
    path = os.pathsep.join([str(Path(mtcli_command()).parent), os.environ["PATH"]])
    began = time.monotonic()
    finished = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    if finished.returncode:
        sys.exit(f"`{command}` ended with exit code {finished.returncode}: {finished.stdout}")
    lines: list[str | None] = [*finished.stdout.splitlines()]
    if len(lines) > _SHOWN_FIRST + _SHOWN_LAST:
        lines[_SHOWN_FIRST:-_SHOWN_LAST] = [None]
    return Shown(command=command, lines=lines, seconds=round(time.monotonic() - began, 1))


def main() -> None:
    installed = show(INSTALL, ROOT)
    with TemporaryDirectory() as folder:
        shown = [show(command, Path(folder)) for command in COMMANDS]
    result = FirstMinute.model_validate(
        {
            "title": "The first minute",
            "command": list(COMMANDS),
            "device": device_facts(),
            "versions": versions(),
            "date": today(),
            "install": installed,
            "shown": shown,
        }
    )
    OUT.write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    print(f"wrote {OUT}; now run: python -m benchmarks.report", file=sys.stderr)


if __name__ == "__main__":
    main()
