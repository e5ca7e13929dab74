"""Running mtcli as its users do: a process of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

MTCLI = [sys.executable, "-m", "mtcli"]


def mtcli(*arguments: str | Path, stdin: bytes = b"", **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end; output and errors are captured as bytes."""
    environment = {**os.environ, **options.pop("env", {})}
    return subprocess.run(
        [*MTCLI, *map(str, arguments)], input=stdin, capture_output=True, env=environment, timeout=300, **options
    )


def succeed(*arguments: str | Path, stdin: bytes = b"", **options: Any) -> str:
    """Run a command that must exit 0; its standard output as text."""
    finished = mtcli(*arguments, stdin=stdin, **options)
    assert finished.returncode == 0, finished.stderr.decode()
    return finished.stdout.decode()
