"""Processes that answer requests, a line of JSON for each (`benchmarks.peers.protocol`), and what to tell when one does not."""

import contextlib
import json
import select
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

TO_STOP = 10.0  # seconds
KEPT = 400  # characters of an error


class ContestantError(Exception):
    """A contestant gave no answer; the message is a clause that says why."""


class Process:
    """One process that answers requests.

    Args:
        command: program and arguments.
        environment: all its variables.
        log: file for what it says on stderr; None lets it through.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path | None = None) -> None:
        self._log = log
        with contextlib.ExitStack() as stack:
            stderr = None
            if log:
                log.parent.mkdir(parents=True, exist_ok=True)
                stderr = stack.enter_context(log.open("w", encoding="utf-8"))
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment,
                text=True,
                encoding="utf-8",
            )

    def ask(self, command: str, seconds: float | None = None, **arguments: Any) -> Any:
        """Its answer to one command.

        Raises:
            ContestantError: the process has ended, or took longer than so many seconds. Either way it is gone.
        """
        assert self._process.stdin and self._process.stdout
        answer = ""
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps({"command": command, **arguments}), file=self._process.stdin, flush=True)
            if not select.select([self._process.stdout], [], [], seconds)[0]:
                self._process.kill()
                self._process.wait()
                raise ContestantError(f"{command} took longer than {seconds:.0f} seconds")
            answer = self._process.stdout.readline()
        if not answer:
            code = self._process.wait()
            said = last_words(self._log.read_text(encoding="utf-8", errors="replace")) if self._log else ""
            raise ContestantError(said or f"its process ended with exit code {code} on {command}")
        return json.loads(answer)

    def close(self) -> None:
        """Let it end by itself, and end it if it does not."""
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def last_words(stderr: str) -> str:
    """The error of the last traceback, on one line; empty where there is none."""
    _, traceback, rest = stderr.rpartition("Traceback (most recent call last):\n")
    error = [line for line in rest.splitlines() if line.strip() and not line.startswith(" ")]
    return " ".join(" ".join(error).split())[:KEPT] if traceback else ""
