"""Processes that are killed: what they translate, how far they came, and where they stand still to be killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from support.command import MTCLI
from support.patience import PATIENCE

# The command line, which stops itself just before it gives a file its name for the Nth time. Its journal is written so
# often that even a fast machine has not finished by then.
_STOPPING = """
import os, re, signal, sys
name, left = sys.argv[1], int(sys.argv[2])
def stop(event, arguments):
    global left
    if event == "os.rename" and re.search(name, os.fspath(arguments[1])):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
sys.addaudithook(stop)
sys.argv[1:] = sys.argv[3:]
from mtcli.cli import main
from mtcli.jobs import resume
resume._PERIOD = 0.02
main.main()
"""


def write_lines(path: Path, first: int, count: int) -> Path:
    """Different lines of different lengths, some blank, the last without a newline."""
    words = "a small dog sees the old house " * 9
    lines = [f"{number} {words[: number * 37 % 200]}" if number % 9 else " " for number in range(first, first + count)]
    path.write_text("\n".join(lines))
    return path


def committed_lines(directory: Path) -> int:
    """How far the journal in this directory says that a translation is."""
    for path in directory.glob(".*.journal"):
        if text := path.read_text():
            return int(json.loads(text)["lines"])
    return 0


def visible_files(directory: Path) -> dict[str, bytes]:
    """The outputs, without what lies hidden beside them."""
    return {path.name: path.read_bytes() for path in directory.iterdir() if not path.name.startswith(".")}


def killed_after(arguments: list[str], seconds: float) -> bool:
    """Run for so long, then kill; False where it had ended before, which it must have done well."""
    process = subprocess.Popen([*MTCLI, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, messages = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return process.returncode == -signal.SIGKILL
    assert process.returncode == 0, messages.decode()
    return False


def stopped_before(name: str, times: int, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a command and return when it stands still, about to give a file this name (a pattern) for the Nth time.

    Raises:
        AssertionError: it has ended before.
    """
    command = [sys.executable, "-c", _STOPPING, name, str(times), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    state = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    assert state is not None
    assert state.si_code == os.CLD_STOPPED, process.communicate()[1].decode()
    return process


def end_stopped(process: subprocess.Popen[bytes], number: signal.Signals) -> tuple[int, str]:
    """Send a signal to a process that stands still, and let it go on to its end: its exit code and its messages."""
    process.send_signal(number)
    process.send_signal(signal.SIGCONT)
    _, messages = process.communicate(timeout=PATIENCE)
    return process.returncode, messages.decode()
