"""The contestants' processes (`benchmarks.peers.protocol`): one that fails costs its own figure, and says why."""

import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from benchmarks.contest.answering import ContestantError, Process

STARTS = 8  # of one contestant: what fails again and again is not worth the time


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
        path = os.pathsep.join([str(self._root)])
        return str(peers), {**os.environ, "PYTHONPATH": path}

    def close(self) -> None:
        """End all processes."""
        for process in self._processes.values():
            process.close()
        self._processes.clear()
