"""How a command ends: every exception becomes sentences on stderr and an exit code, in this one place.

mtcli's own errors (mtcli/errors.py) bring both with them. `RULES` says what becomes of all others, the
first that matches; docs/reference/errors.md lists them.
"""

import functools
import io
import os
import re
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar, cast

import typer

from mtcli.errors import ExitCode, MtcliError, is_out_of_memory

Command = TypeVar("Command", bound=Callable[..., None])

TracebackOption = Annotated[bool, typer.Option("--traceback", help="Show the stack when something goes wrong.")]

# What PyTorch says, in errors that have no type of their own.
_DEVICE_FAILURE = re.compile(r"CUDA|cuDNN|cuBLAS|NVIDIA|HIP error|no kernel image", re.I)


@dataclass(frozen=True)
class Rule:
    """What becomes of one kind of exception that mtcli does not raise itself.

    Attributes:
        name: the kind, as the documentation calls it.
        matches: whether an exception is of that kind.
        code: the exit code.
        explain: the exception in sentences; empty for an end without a word.
        meaning: for the documentation.
    """

    name: str
    matches: Callable[[BaseException], bool]
    code: ExitCode
    explain: Callable[[BaseException], str]
    meaning: str


def _is(*kinds: type[BaseException]) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, kinds)


def _is_device_failure(error: BaseException) -> bool:
    return isinstance(error, RuntimeError) and bool(_DEVICE_FAILURE.search(str(error)))


def _explain_device(error: BaseException) -> str:
    return (
        f"the device failed: {_first_line(error)} Other programs on it, its driver or a faulty card may be the cause "
        "(nvidia-smi). --device cpu works without it."
    )


def _explain_os_error(error: BaseException) -> str:
    from mtcli.files import file_error

    assert isinstance(error, OSError)
    if not isinstance(error.filename, str | bytes):
        return (
            f"standard input, output or a file could not be used: {error.strerror or error}. Free some space or "
            "check the redirections, and run again."
        )
    return str(file_error(Path(os.fsdecode(error.filename)), error, "use"))


def _explain_import(error: BaseException) -> str:
    return (
        f"a part of mtcli's installation is missing or broken: {_first_line(error)} "
        "Install it again: pip install --force-reinstall mtcli-nmt."
    )


def _explain_bug(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" ({Path(frame[0].filename).name}:{frame[0].lineno})" if frame else ""
    return (
        f"this is a bug in mtcli: {type(error).__name__}: {_first_line(error)}{where} "
        "No unfinished output has a final name. Please report it with what --traceback adds."
    )


def _first_line(error: BaseException) -> str:
    line = (str(error).strip().splitlines() or ["no more is known"])[0]
    return line if line.endswith((".", "!", "?")) else line + "."


RULES: tuple[Rule, ...] = (
    Rule(
        "KeyboardInterrupt",
        _is(KeyboardInterrupt),
        ExitCode.INTERRUPTED,
        lambda error: "Interrupted.",
        "Ctrl-C, or SIGTERM to a training run.",
    ),
    Rule(
        "BrokenPipeError",
        _is(BrokenPipeError),
        ExitCode.OK,
        lambda error: "",
        "The reader of the output went away, as `head` does: the end, without a word.",
    ),
    Rule(
        "MemoryError, PyTorch's out of memory",
        is_out_of_memory,
        ExitCode.FAILURE,
        lambda error: (
            "out of memory. Use fewer tokens at once (--batch-tokens, or --set training.batch_tokens=N), a smaller "
            "beam or model, or a machine with more."
        ),
        "Memory ran out where mtcli could not go on with less. Batches have been halved before, down to one sentence.",
    ),
    Rule(
        "RuntimeError of CUDA",
        _is_device_failure,
        ExitCode.FAILURE,
        _explain_device,
        "The device failed in the middle of the work: a driver that is too old, a fault, another program.",
    ),
    Rule(
        "io.UnsupportedOperation",
        _is(io.UnsupportedOperation),
        ExitCode.FAILURE,
        lambda error: (
            f"standard input or output is closed ({error}). Redirect it (< FILE, > FILE), or name files with -i and -o."
        ),
        "A standard stream that the command needs is closed.",
    ),
    Rule(
        "OSError",
        _is(OSError),
        ExitCode.FAILURE,
        _explain_os_error,
        "The system refused: a full disk, no permission, too many open files. Names the file if it is known.",
    ),
    Rule(
        "ImportError",
        _is(ImportError),
        ExitCode.FAILURE,
        _explain_import,
        "A package that mtcli needs is missing or does not fit.",
    ),
    Rule(
        "any other",
        lambda error: True,
        ExitCode.FAILURE,
        _explain_bug,
        "A bug in mtcli. The message names the place; `--traceback` shows the whole stack.",
    ),
)


def explain(error: BaseException) -> tuple[str, ExitCode]:
    """Say an exception in sentences, and choose the exit code; no message means a quiet end."""
    if isinstance(error, MtcliError):
        return f"Error: {error}", error.exit_code
    rule = next(rule for rule in RULES if rule.matches(error))
    message = rule.explain(error)
    return f"Error: {message}" if rule.code == ExitCode.FAILURE else message, rule.code


def reports_errors(command: Command) -> Command:
    """Wrap a command that has a `traceback` option."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
            sys.stdout.flush()
        except (typer.Exit, typer.Abort):
            raise
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 (the end of the command, whatever it was)
            message, code = explain(error)
            if message and options.get("traceback"):
                traceback.print_exc()
            _report(message)
            raise typer.Exit(code) from None

    return cast(Command, run)


def run_reporting_errors(app: Callable[[], object]) -> None:
    """Run the command line, and end what fails outside a command (--help onto a full disk) as inside one."""
    try:
        app()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 (the end of the process, whatever it was)
        message, code = explain(error)
        _report(message)
        sys.exit(code)


def leave_threads_behind(code: object) -> None:
    """End the process here where a thread still works for an output that nobody reads any more.

    Such a thread is inside PyTorch when the interpreter ends, which stops it there, and C++ ends the process with a
    message of its own.
    """
    if isinstance(code, int) and any(thread.daemon for thread in threading.enumerate()):
        end_here(code)


def end_here(code: int) -> NoReturn:
    """End the process now, with what it said written but without the interpreter's own clearing up."""
    for stream in (sys.stdout, sys.stderr):
        _flush_or_abandon(stream)
    os._exit(code)


def _report(message: str) -> None:
    with suppress(OSError, ValueError):
        if message:
            print(printable(message), file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        _flush_or_abandon(stream)


def printable(message: str) -> str:
    """Escape control characters: a file's name or content must not move the cursor."""
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", lambda found: f"\\x{ord(found[0]):02x}", message)


def _flush_or_abandon(stream: Any) -> None:
    """Write what is left; where that fails (`| head`, a full disk) let the interpreter flush into nowhere."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
