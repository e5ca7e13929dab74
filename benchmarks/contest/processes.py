"""A contestant's command, run to its end on some of the cores, and how much memory it took."""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.contest.answering import KEPT, ContestantError, last_words

GLANCE = 0.2  # seconds between two looks at what runs
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Command:
    """A program that trains.

    Attributes:
        arguments: program and arguments.
        environment: variables beside those of this process.
        stdin: what it reads; None for nothing.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: Path | None = None


def run_to_its_end(
    command: Command, folder: Path, *, cores: int, seconds: float, is_trained: Callable[[], bool] = lambda: False
) -> float | None:
    """Run a command on so many cores; what it prints goes to `folder`/stdout and `folder`/stderr.

    Args:
        command: what to run.
        folder: its working directory.
        cores: on Linux it is bound to them; elsewhere only asked to use as many threads.
        seconds: after which it is ended with all that it started.
        is_trained: what is after training (saving, validating) counts no more for its memory.

    Returns:
        MiB resident in the largest of its processes at most, until `is_trained`; None where the system does not tell.

    Raises:
        ContestantError: it failed, or took too long.
    """
    variables = {**os.environ, **command.environment, "OMP_NUM_THREADS": str(cores)}
    ends_at = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        stdin = stack.enter_context(command.stdin.open("rb")) if command.stdin else subprocess.DEVNULL
        stdout, stderr = (stack.enter_context((folder / name).open("wb")) for name in ("stdout", "stderr"))
        process = subprocess.Popen(
            command.arguments,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=variables,
            cwd=folder,
            process_group=0,  # to end what it started with it
            preexec_fn=partial(_bind, cores),
        )
        try:
            peak = _watch(process, ends_at, is_trained)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if process.returncode != 0:
        why = f"it took longer than {seconds:.0f} seconds" if time.monotonic() > ends_at else _why(folder, process)
        raise ContestantError(why)
    return peak


def _bind(cores: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def _watch(process: subprocess.Popen[bytes], ends_at: float, is_trained: Callable[[], bool]) -> float | None:
    peak: float | None = None
    counts = True
    while process.poll() is None and time.monotonic() < ends_at:
        if counts:
            found = [memory for memory in map(peak_mib, _tree(process.pid)) if memory is not None]
            peak = max([*found, *([] if peak is None else [peak])], default=None)
            counts = not is_trained()
        time.sleep(GLANCE)
    return peak


def _tree(pid: int) -> list[int]:
    """A process and what it started, as far as the system tells."""
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _tree(int(child))
    return found


def peak_mib(pid: int) -> float | None:
    """The most memory, in MiB, that was resident in a process so far; None where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    peak = re.search(r"^VmHWM:\s+(\d+) kB$", status, flags=re.MULTILINE)
    return int(peak[1]) / 1024 if peak else None


def _why(folder: Path, process: subprocess.Popen[bytes]) -> str:
    said = (folder / "stderr").read_text(encoding="utf-8", errors="replace")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return last_words(said) or (lines[-1][:KEPT] if lines else f"it ended with exit code {process.returncode}")
