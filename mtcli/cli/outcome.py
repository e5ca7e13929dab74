"""How a command ends: errors become one sentence on stderr and an exit code, in this one place."""

import functools
import os
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, cast

import typer

from mtcli.errors import ExitCode, MtcliError, UsageError

Command = TypeVar("Command", bound=Callable[..., None])

TracebackOption = Annotated[bool, typer.Option("--traceback", help="Show the stack when something goes wrong.")]


def reports_errors(command: Command) -> Command:
    """Wrap a command that has a `traceback` option."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
            sys.stdout.flush()
        except BrokenPipeError:
            _leave_closed_pipe()
        except KeyboardInterrupt:
            _fail("Interrupted.", ExitCode.INTERRUPTED)
        except (MtcliError, UsageError) as error:
            if options.get("traceback"):
                traceback.print_exc()
            _fail(f"Error: {error}", error.exit_code)
        except MemoryError:
            _fail(
                "Error: out of memory. Use a smaller batch (--batch-tokens), or a machine with more.",
                ExitCode.FAILURE,
            )

    return cast(Command, run)


def _fail(message: str, code: ExitCode) -> None:
    print(message, file=sys.stderr)
    raise typer.Exit(code)


def _leave_closed_pipe() -> None:
    """The reader of our output has gone (`| head`): stop quietly, and let the interpreter flush into nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
