"""Other processes: those that run to their end within a time, and those that answer requests (`peers.engine`)."""

import contextlib
import json
import os
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mtcli.bench.contest import ContestantError

GLANCE = 0.2  # seconds between two looks at what runs
TO_STOP = 5.0  # seconds that a process gets to end what it has started
KEPT = 400  # characters of an error


def run(
    arguments: Sequence[str | Path],
    log: Path | None,
    *,
    seconds: float,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    cores: int | None = None,
    glance: Callable[[int], None] = lambda pid: None,
) -> int | None:
    """Run a program to its end, with all that it starts.

    Args:
        arguments: program and arguments.
        log: file for what it prints; None lets it through.
        seconds: after which it is ended.
        cwd: its working directory.
        environment: variables beside those of this process.
        cores: on Linux it is bound to so many; elsewhere only asked to use as many threads; None for all.
        glance: is called with the process's number as long as it runs.

    Returns:
        The exit code, negative for a signal; None when it was ended at its limit.
    """
    variables = {**os.environ, **(environment or {})} | ({"OMP_NUM_THREADS": str(cores)} if cores else {})
    ends_at = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("wb")) if log else None
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if log else None,
            env=variables,
            cwd=cwd,
            process_group=0,  # to end what it started with it
            preexec_fn=partial(_bind, cores) if cores else None,
        )
        try:
            while process.poll() is None:
                if time.monotonic() > ends_at:
                    return None
                glance(process.pid)
                time.sleep(GLANCE)
            return process.returncode
        finally:
            _end(process)


def finished(
    command: Sequence[str | Path], *, shown: str = "", capture: int | None = subprocess.PIPE, **more: Any
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, and keep what it prints; further arguments are those of `subprocess.run`.

    Exits when it fails, naming it as `shown`.
    """
    ended = subprocess.run(command, stdout=capture, text=True, encoding="utf-8", **more)
    if ended.returncode:
        said = " ".join(filter(None, (ended.stdout, ended.stderr))).strip()
        sys.exit(f"`{shown or shlex.join(map(str, command))}` ended with exit code {ended.returncode}. {said}".strip())
    return ended


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(TO_STOP)


def _bind(cores: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def tree(pid: int) -> list[int]:
    """Return a process and what it started, as far as the system tells."""
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += tree(int(child))
    return found


def peak_mib(pid: int) -> float | None:
    """Return the most memory, in MiB, that was resident in a process so far; None where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    peak = re.search(r"^VmHWM:\s+(\d+) kB$", status, flags=re.MULTILINE)
    return int(peak[1]) / 1024 if peak else None


def last_words(log: Path) -> str:
    """Return the error of the last traceback in a log on one line, else the last line; empty where there is none."""
    said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    _, traceback, rest = said.rpartition("Traceback (most recent call last):\n")
    lines = [line for line in (rest if traceback else said).splitlines() if line.strip()]
    error = [line for line in lines if not line.startswith(" ")] if traceback else lines[-1:]
    return " ".join(" ".join(error).split())[:KEPT]


def why_ended(code: int | None, log: Path, seconds: float) -> str:
    """Return a clause that says why a program did not end well."""
    if code is None:
        return f"it took longer than {seconds:.0f} seconds"
    return last_words(log) or f"it ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}"


class Team:
    """Contestants that answer requests, a line of JSON each, each in a process of its own.

    One that breaks down costs its own figure.

    Args:
        commands: what starts each, by name.
        folder: for their logs.
        environment: variables of all, beside those of this process.
        left: seconds that are left for all of it, which no answer may exceed.
    """

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        folder: Path,
        environment: Mapping[str, str],
        left: Callable[[], float],
    ) -> None:
        self._commands, self._folder, self._left = commands, folder, left
        self._environment = {**os.environ, **environment}
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._loads: dict[str, Any] = {}

    def load(self, **model: Any) -> None:
        """Give all a model and what to do with it; each takes it before its next answer."""
        self._loads = model
        self.close()

    def ask(self, name: str, command: str, **arguments: Any) -> Any:
        """Return a contestant's answer; its process is started first if it has none.

        Raises:
            ContestantError: it gave none, or none in time. Its process is ended, and the next question starts another.
        """
        try:
            if name not in self._processes:
                self._processes[name] = self._started(name)
                if self._loads:
                    self._answer(name, "load", self._loads)
            return self._answer(name, command, arguments)
        except ContestantError:
            self._end(name)
            raise

    def close(self) -> None:
        """End all processes."""
        for name in list(self._processes):
            self._end(name)

    def _log(self, name: str) -> Path:
        return self._folder / f"{name.replace('/', ' ')}.log"

    def _started(self, name: str) -> subprocess.Popen[str]:
        with self._log(name).open("wb") as stderr:
            return subprocess.Popen(
                self._commands[name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=self._environment,
                text=True,
                encoding="utf-8",
            )

    def _answer(self, name: str, command: str, arguments: Mapping[str, Any]) -> Any:
        process, seconds, answer = self._processes[name], min(max(self._left(), 1.0), 1e6), ""
        assert process.stdin and process.stdout
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps({"command": command, **arguments}), file=process.stdin, flush=True)
            if not select.select([process.stdout], [], [], seconds)[0]:
                process.kill()
                raise ContestantError(f"{command} took longer than {seconds:.0f} seconds")
            answer = process.stdout.readline()
        if not answer:
            code = process.wait()
            raise ContestantError(last_words(self._log(name)) or f"it ended with exit code {code} on {command}")
        return json.loads(answer)

    def _end(self, name: str) -> None:
        """Let it end by itself, and end it if it does not."""
        process = self._processes.pop(name)
        assert process.stdin and process.stdout
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
