"""Running mtcli as its users do: a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.fork_server import fork_server
from support.patience import PATIENCE

MTCLI = [sys.executable, "-m", "mtcli"]


def mtcli(
    *arguments: str | Path,
    stdin: bytes = b"",
    cwd: Path | None = None,
    env: Mapping[str, str] = {},
    prepare: str | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end in a process forked for it; output and errors are captured as bytes.

    Args:
        arguments: of the command.
        stdin: what it reads, through a pipe.
        cwd: the directory that it starts in, where it is not this one.
        env: changes of its environment; what Python or PyTorch look at when they start has no effect.
        prepare: a function that the process calls before the command, as `module:function`.
    """
    return fork_server().run([*map(str, arguments)], stdin, cwd or Path.cwd(), {**os.environ, **env}, prepare)


def fresh_mtcli(
    *arguments: str | Path, stdin: bytes = b"", env: Mapping[str, str] = {}, **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end in a Python started for it, as a shell does."""
    environment = {**os.environ, **env}
    command = [*MTCLI, *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, env=environment, timeout=PATIENCE, **options)


def succeed(*arguments: str | Path, stdin: bytes = b"", **options: Any) -> str:
    """Run a command that must exit 0; its standard output as text."""
    return _output(mtcli(*arguments, stdin=stdin, **options))


def fresh_succeed(*arguments: str | Path, stdin: bytes = b"", **options: Any) -> str:
    """Run a command that must exit 0 in a Python started for it; its standard output as text."""
    return _output(fresh_mtcli(*arguments, stdin=stdin, **options))


def _output(finished: subprocess.CompletedProcess[bytes]) -> str:
    assert finished.returncode == 0, finished.stderr.decode()
    return finished.stdout.decode()
