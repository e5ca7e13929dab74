"""The contestants' processes (`peers.protocol`): one that fails costs its own figure, and says why."""

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

STARTS = 8  # of one contestant: what fails again and again is not worth the time
TO_STOP = 5.0  # seconds
KEPT = 400  # characters of an error


class ContestantError(Exception):
    """A contestant gave no answer; the message is a clause that says why."""


class Process:
    """One process that answers requests.

    Args:
        command: program and arguments.
        environment: all its variables.
        log: file for what it says on stderr.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        with log.open("w", encoding="utf-8") as stderr:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment,
                text=True,
                encoding="utf-8",
            )

    def ask(self, command: str, seconds: float, **arguments: Any) -> Any:
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
            said = last_words(self._log.read_text(encoding="utf-8", errors="replace"))
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


class Team:
    """The contestants, each in a process that has the model and the sentences.

    Args:
        root: the checkout.
        logs: folder for what they say on stderr.
        modules: what each runs (`python -m MODULE DEVICE`), by name.
        peers: those that run on the Python of `make peers`, where it was made.
        device: cpu or cuda.
        loaded: what each is told to load.

    Attributes:
        versions: what each said of itself when it started.
        broken: why a contestant takes no part any more.
        loaded: what each answered when it had loaded.
    """

    def __init__(
        self,
        *,
        root: Path,
        logs: Path,
        modules: Mapping[str, str],
        peers: Collection[str],
        device: str,
        loaded: Mapping[str, Any],
    ) -> None:
        self.versions: dict[str, dict[str, str]] = {}
        self.broken: dict[str, str] = {}
        self.loaded: dict[str, Any] = {}
        self._root, self._logs, self._device = root, logs, device
        self._modules, self._peers, self._to_load = modules, peers, loaded
        self._processes: dict[str, Process] = {}
        self._starts: dict[str, int] = {}

    def ask(self, name: str, command: str, seconds: float, **arguments: Any) -> Any:
        """A contestant's answer; its process is started first if it has none.

        Raises:
            ContestantError: it gave none; its process is ended, and the next question starts another one.
        """
        if name in self.broken:
            raise ContestantError(self.broken[name])
        try:
            process = self._processes.get(name) or self._start(name, seconds)
            return process.ask(command, seconds, **arguments)
        except ContestantError as error:
            if name in self._processes:
                self._processes.pop(name).close()
            if name not in self.versions or self._starts[name] == STARTS:
                self.broken[name] = str(error)
            raise

    def _start(self, name: str, seconds: float) -> Process:
        self._starts[name] = self._starts.get(name, 0) + 1
        python, variables = self._python(name)
        module = self._modules[name]
        log = self._logs / f"{name} {module}.log"
        self._processes[name] = process = Process([python, "-m", module, self._device], variables, log)
        facts = process.ask("facts", seconds)
        self.loaded[name] = process.ask("load", seconds, **self._to_load)
        self.versions[name] = facts["versions"]
        return process

    def _python(self, name: str) -> tuple[str, dict[str, str]]:
        """A contestant's interpreter and variables: a peer's are those of `make peers` where it was made, all others'
        this process's own."""
        peers = self._root / ".venv-peers" / "bin" / "python"
        if name not in self._peers or not peers.exists():
            return sys.executable, dict(os.environ)
        return str(peers), {**os.environ, "PYTHONPATH": str(self._root / "benchmarks")}

    def close(self) -> None:
        """End all processes."""
        for process in self._processes.values():
            process.close()
        self._processes.clear()
