"""Every error mtcli raises on purpose.

    MtcliError                    exit 1
    ├── ConfigError               a setting in --config, --set or a configuration file
    ├── DataError                 a corpus, an input or an output file
    ├── CheckpointError           a model directory or a training run's state
    ├── BackendUnavailableError   a device, dtype or kernel this machine lacks
    └── TrainingError             a run that cannot go on (a loss that is not finite)
    UsageError                    exit 2: wrong whatever the files hold

A message says what was wrong and where, what was found, what was expected and what to do next, in
sentences: it is printed as it stands.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    INTERRUPTED = 130


class MtcliError(Exception):
    """Something met in files, data, device, memory or configuration."""

    exit_code = ExitCode.FAILURE


class ConfigError(MtcliError):
    """A configuration value is unknown, of the wrong type, or contradicts another."""


class DataError(MtcliError):
    """A corpus, input or output file is missing, damaged, or does not fit its partner."""


class CheckpointError(MtcliError):
    """A model directory or a training run's state cannot be used."""


class BackendUnavailableError(MtcliError):
    """The device, dtype or kernel asked for is not available here."""


class TrainingError(MtcliError):
    """Training cannot go on."""


class UsageError(MtcliError):
    """The command line is wrong whatever the files hold."""

    exit_code = ExitCode.USAGE
