"""Start several processes of one training run on this machine, as torchrun does."""

import logging
import os
import signal
import sys
import uuid
from collections.abc import Sequence

import torch

from mtcli.devices import resolve_device
from mtcli.errors import ConfigError, ExitCode, TrainingError
from mtcli.processors import available_cpus
from mtcli.training.world import is_launched

_TO_SAVE = "600"  # seconds: a validation under way and a large model's checkpoint


def launch(num_processes: int, arguments: Sequence[str], device: str) -> int:
    """Run `mtcli` with these arguments in so many processes, which find each other; returns the exit code.

    Args:
        num_processes: each has a GPU of its own, or its share of the processors.
        device: as configured, `auto` included.

    Raises:
        ConfigError: there are not so many GPUs, or this process is one of several already.
        BackendUnavailableError: the device is not to be had here.
    """
    if is_launched():
        raise ConfigError(
            f"--nproc {num_processes}: this process was itself started as one of {os.environ['WORLD_SIZE']}. Leave "
            "--nproc out under torchrun, whose --nproc-per-node says the same."
        )
    found = resolve_device(device)
    if found.type == "cuda" and torch.cuda.device_count() < num_processes:
        raise ConfigError(
            f"--nproc {num_processes}: this machine shows {torch.cuda.device_count()} CUDA device(s), and each process "
            f"needs one. Use --nproc {torch.cuda.device_count()}, or --device cpu."
        )
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", _TO_SAVE)
    if "OMP_NUM_THREADS" not in os.environ:
        os.environ["OMP_NUM_THREADS"] = str(max(1, available_cpus() // num_processes))
    return _run(num_processes, arguments)


def _run(num_processes: int, arguments: Sequence[str]) -> int:
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    logging.disable(logging.ERROR)  # the processes speak for themselves
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=num_processes,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=0.1,
        start_method="spawn",
    )
    try:
        elastic_launch(config, sys.executable)("-m", "mtcli", *arguments)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode < 0:
            raise TrainingError(_killed(rank, num_processes, -failure.exitcode)) from None
        return failure.exitcode
    except (SignalException, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    return ExitCode.OK


def _killed(rank: int, num_processes: int, number: int) -> str:
    name = signal.Signals(number).name if number in list(signal.Signals) else f"signal {number}"
    memory = ", as the system does where memory runs out" if name == "SIGKILL" else ""
    return (
        f"Process {rank} of {num_processes} was ended by {name}{memory}. The same command goes on from the last "
        "checkpoint, or begins again where there is none."
    )


def without_nproc(arguments: Sequence[str]) -> list[str]:
    """A command line without `--nproc N`."""
    kept, skip = [], False
    for argument in arguments:
        if skip:
            skip = False
        elif argument == "--nproc":
            skip = True
        elif not argument.startswith("--nproc="):
            kept.append(argument)
    return kept
