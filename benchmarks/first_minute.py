"""What a newcomer sees: the README's first commands and the tutorial's, run as they stand there, with what they print.

Runs in an empty folder, the output not on a terminal. The README shows the first minute as a picture, the tutorial its
commands as text; tests run them again.
"""

import os
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contest.machine import RESULTS, ROOT, mtcli_command, opening, save
from benchmarks.contest.processes import finished
from benchmarks.contest.records import FirstMinute, Shown

INSTALL = "make install"
NEWS = ("I lost my umbrella.", "Can you help me find it?", "It is raining and I want to go home.")
REFERENCE = (
    "Ich habe meinen Regenschirm verloren.",
    "Können Sie mir helfen, ihn zu finden?",
    "Es regnet und ich will nach Hause gehen.",
)
MINUTE = (
    "echo 'Where is the station?' | mtcli translate",
    "mtcli translate --quiet -i letter.en -o letter.de",
    "paste letter.en letter.de",
    "mtcli evaluate --hyp letter.de --ref reference.de",
)
TUTORIAL = (
    "mtcli demo --write-corpus corpus",
    "mtcli train --config corpus/demo.toml -o ko-en --max-steps 400",
    "mtcli translate -m ko-en -i corpus/test.ko -o test.hyp.en",
    "paste corpus/test.ko test.hyp.en | sed -n 1,3p",
    "mtcli evaluate --hyp test.hyp.en --ref corpus/test.en",
)
_SHOWN_FIRST, _SHOWN_LAST = 4, 4  # lines of a long output


def show(command: str, folder: Path) -> Shown:
    """Run a command line in the folder; exits when it fails."""
    path = os.pathsep.join([str(Path(mtcli_command()).parent), os.environ["PATH"]])
    began = time.monotonic()
    ended = finished(
        ["bash", "-o", "pipefail", "-c", command],
        shown=command,
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    lines: list[str | None] = [*ended.stdout.splitlines()]
    if len(lines) > _SHOWN_FIRST + _SHOWN_LAST:
        lines[_SHOWN_FIRST:-_SHOWN_LAST] = [None]
    return Shown(command=command, lines=lines, seconds=round(time.monotonic() - began, 1))


def main() -> None:
    installed = show(INSTALL, ROOT)
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file, lines in (("letter.en", NEWS), ("reference.de", REFERENCE)):
            (folder / file).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        minute, tutorial = ([show(command, folder) for command in part] for part in (MINUTE, TUTORIAL))
    head = opening("The first minute", [INSTALL, *MINUTE, *TUTORIAL])
    result = FirstMinute(**head, install=installed, minute=minute, tutorial=tutorial)
    save(result, RESULTS / "cpu" / "first-minute.json")


if __name__ == "__main__":
    main()
