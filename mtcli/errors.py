"""Every error mtcli raises on purpose, and what a process's exit code says.

    MtcliError                      exit 1
    ├── ConfigError                 exit 1
    ├── DataError                   exit 1
    ├── CheckpointError             exit 1
    ├── BackendUnavailableError     exit 1
    ├── TrainingError               exit 1
    └── UsageError                  exit 2

A message says what was wrong and where, what was found, what was expected and what to do next, in
sentences: it is printed as it stands. docs/reference/errors.md is generated from this module and from
mtcli/cli/errors.py, which turns every other exception into such a sentence.
"""

import re
from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """One sentence for people."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "Done; also when the reader of the output went away, as `head` does.",
    ExitCode.FAILURE: "Something met in files, data, device, memory or configuration. Outputs are whole or not there.",
    ExitCode.USAGE: "The command line is wrong whatever the files hold. Nothing was written.",
    ExitCode.INTERRUPTED: (
        "Ctrl-C, or SIGTERM to training. Training and file translation kept their state: the same command goes on. "
        "bench -o wrote what it had. SIGTERM ends other commands with 143 and SIGHUP with 129, as tidily."
    ),
}


class MtcliError(Exception):
    """Something met in files, data, device, memory or configuration."""

    exit_code = ExitCode.FAILURE


class ConfigError(MtcliError):
    """A configuration value is unknown, of the wrong type, or contradicts another.

    It came from --config, --set, an option or a preset; the message names it and lists what is valid.
    """


class DataError(MtcliError):
    """A corpus, an input or an output file is missing, damaged, not permitted, or does not fit its partner.

    The message names the file, and the line where there is one. A full disk is also told this way.
    """


class CheckpointError(MtcliError):
    """A model directory or a training run's state cannot be used.

    It is missing, cut short, changed since it was written, of a newer format, or its parts do not fit
    together. Copy the model again, or put back the file that the message names.
    """


class BackendUnavailableError(MtcliError):
    """The device, dtype or kernel asked for is not available here.

    --device cpu --dtype float32 works everywhere.
    """


class TrainingError(MtcliError):
    """Training cannot go on: the loss is not finite. The weights stay as they were before that step."""


class UsageError(MtcliError):
    """The command line is wrong whatever the files hold: options that contradict each other, or a value out of range.

    An unknown or missing option ends in the same way. `mtcli COMMAND --help` lists them.
    """

    exit_code = ExitCode.USAGE


def check_choice(option: str, value: str, choices: Sequence[str]) -> None:
    """Check an option that has a few values.

    Raises:
        UsageError: the value is none of them.
    """
    if value not in choices:
        raise UsageError(f"{option} {value}: expected one of {', '.join(choices)}.")


# What PyTorch says on a CPU and on a GPU where it raises no OutOfMemoryError.
_OUT_OF_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory|CUBLAS_STATUS_ALLOC_FAILED", re.I)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on a CPU or a GPU."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's, by name: no import
        return True
    return isinstance(error, RuntimeError) and bool(_OUT_OF_MEMORY.search(str(error)))
