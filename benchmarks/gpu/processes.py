"""Other processes with a time limit, so that a kernel that hangs or breaks the GPU's context costs only itself."""

import contextlib
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from benchmarks.gpu.context import Context

OUTPUT_KEPT = 20_000  # characters
GLANCE = 0.05  # seconds between two looks at what runs


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes:
        code: its exit code, negative for a signal; None when it was stopped at its limit.
        output: the end of what it printed, if that was caught.
    """

    code: int | None
    output: str = ""

    @property
    def failure(self) -> str | None:
        """A sentence when it did not end well."""
        if self.code == 0:
            return None
        if self.code is None:
            return "It was stopped at its time limit."
        return f"It ended with {f'signal {-self.code}' if self.code < 0 else f'exit code {self.code}'}."


@dataclass(frozen=True, kw_only=True)
class Job:
    """A command to run; at its limit it is killed with all that it started.

    Attributes:
        command: program and arguments.
        seconds: the limit, from its start.
        until: another one, as `time.time()` counts.
        cwd, env: as subprocess takes them.
        catch: keep its output instead of passing it on.
        to_stop: seconds that it has to end its own children, when this process is told to stop.
    """

    command: Sequence[str | Path]
    seconds: float
    cwd: Path
    until: float = math.inf
    env: Mapping[str, str] | None = None
    catch: bool = True
    to_stop: float = 2.0


def run_job(job: Job) -> Ended:
    """Run one command to its end or its limit."""
    ((_, ended),) = run_jobs([job])
    return ended


def run_jobs(jobs: Sequence[Job], at_once: int = 1) -> Iterator[tuple[Job, Ended]]:
    """Run commands, so many at a time, and give each back as it ends."""
    waiting, running = list(jobs), list[_Running]()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                running.append(_Running(waiting.pop(0)))
            time.sleep(GLANCE)
            for one in running[:]:
                if one.is_over():
                    running.remove(one)
                    yield one.job, one.ended()
    finally:  # also after Ctrl-C
        for one in running:
            one.interrupt()


@dataclass
class _Running:
    job: Job
    process: subprocess.Popen[bytes] = field(init=False)
    output: IO[bytes] = field(init=False)
    kill_at: float = field(init=False)
    killed: bool = False

    def __post_init__(self) -> None:
        self.output = tempfile.TemporaryFile()  # noqa: SIM115 - open while the process runs; no pipe, which may fill up
        self.process = subprocess.Popen(
            self.job.command,
            stdout=self.output if self.job.catch else None,
            stderr=subprocess.STDOUT if self.job.catch else None,
            env=self.job.env,
            cwd=self.job.cwd,
            process_group=0,  # to end its children with it; no session, or they would outlive a killed caller
        )
        self.kill_at = min(time.time() + self.job.seconds, self.job.until)

    def is_over(self) -> bool:
        if self.process.poll() is None and time.time() > self.kill_at:
            self.killed = True
            self._signal(signal.SIGKILL)
            self.process.wait()
        return self.process.poll() is not None

    def ended(self) -> Ended:
        size = self.output.tell() if self.job.catch else 0
        self.output.seek(max(size - OUTPUT_KEPT, 0))
        text = self.output.read().decode("utf-8", errors="replace")
        self.output.close()
        return Ended(None if self.killed else self.process.returncode, text)

    def interrupt(self) -> None:
        # Not SIGINT, which the children of a shell's background job ignore.
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(self.job.to_stop)
        self._signal(signal.SIGKILL)
        self.output.close()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


def run_module(module: str, context: Context, *, grace: float, to_stop: float) -> Ended:
    """Run `module.run(context)` in a process of its own, killed `grace` seconds after the context's end."""
    command = [sys.executable, "-m", "benchmarks.gpu.runner", module, context.to_json()]
    seconds = context.left() + grace
    return run_job(Job(command=command, seconds=seconds, cwd=context.root, catch=False, to_stop=to_stop))


def interrupt_on_terminate() -> None:
    """Let `kill` do what Ctrl-C does, so that a process that is told to stop ends its children first."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
