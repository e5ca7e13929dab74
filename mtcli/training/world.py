"""The processes that train one model together, as torchrun starts them; usually there is only one.

Each computes its part of every batch; the gradients are added up before each update (DistributedDataParallel), so all
hold the same weights at all times. What is said between them otherwise is small and goes through a group of its own on
the CPU (gloo), so that no GPU is waited for.
"""

import inspect
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mtcli.data.arrays import IntArray
from mtcli.errors import BackendUnavailableError, ConfigError, TrainingError

_PATIENCE = timedelta(minutes=30)  # for a process that is busy: rank 0 writes checkpoints alone
_PREPARATION = timedelta(days=7)  # a large corpus takes long to read, and one process reads it
_PREPARED = "mtcli/prepared"
# Sinusoids never change, so they need not be sent before every batch. PyTorch 2.13 has another word for it.
_WORDS = inspect.signature(DistributedDataParallel).parameters
_BUFFERS_STAY: dict[str, Any] = {
    "forward_sync_buffers" if "forward_sync_buffers" in _WORDS else "broadcast_buffers": False
}


@dataclass(frozen=True)
class World:
    """Who takes part.

    Attributes:
        rank: this process's number, from 0; process 0 alone writes and speaks.
        size: how many there are.
        local_rank: this one's number on its machine, which is also its GPU's.
        group: for words between them, on the CPU.
        launcher: the process that started this one and looks after it; 0 where none is known to.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    group: dist.ProcessGroup | None = None
    launcher: int = 0

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    @property
    def is_orphan(self) -> bool:
        """Whether the launcher has gone, and with it whoever could stop this process."""
        return self.launcher > 0 and os.getppid() != self.launcher

    def wait(self) -> None:
        """Until all have come here."""
        if self.size > 1:
            dist.barrier(group=self.group)

    def share(self, items: IntArray) -> tuple[IntArray, float]:
        """This process's part of the sentences of a batch, and its weight.

        Every process must take part in every step. One for which no sentence is left computes the first one with
        weight 0.
        """
        own = items[self.rank :: self.size]
        return (own, 1.0) if len(own) else (items[:1], 0.0)

    def joined(self, module: nn.Module) -> nn.Module:
        """The module, with the gradients of all processes averaged when it runs backward."""
        if self.size == 1:
            return module
        device = next(module.parameters()).device
        return DistributedDataParallel(
            module,
            device_ids=[device.index] if device.type == "cuda" else None,
            gradient_as_bucket_view=True,
            **_BUFFERS_STAY,
        )

    @contextmanager
    def joining(self, module: nn.Module, now: bool) -> Iterator[None]:
        """Run forward and backward inside; gradients are joined only if `now`, else added up for later."""
        if isinstance(module, DistributedDataParallel) and not now:
            with module.no_sync():
                yield
        else:
            yield

    def sum(self, numbers: Tensor) -> Tensor:
        """The sum of all processes' numbers, on the CPU; waits for the device."""
        numbers = numbers.detach().to("cpu", torch.float64)
        if self.size > 1:
            dist.all_reduce(numbers, group=self.group)
        return numbers

    def agree(self, seconds: float, is_stopping: bool) -> tuple[float, bool]:
        """Process 0's seconds, and whether any process is to stop; the same answer everywhere."""
        if self.size == 1:
            return seconds, is_stopping
        said = self.sum(torch.tensor([seconds if self.is_first else 0.0, float(is_stopping)], dtype=torch.float64))
        return float(said[0]), bool(said[1] > 0)

    def gather_lines(self, lines: list[str]) -> list[list[str]]:
        """Every process's lines, by rank."""
        if self.size == 1:
            return [lines]
        text = torch.frombuffer(bytearray(json.dumps(lines).encode()), dtype=torch.uint8)
        lengths = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        dist.all_gather(lengths, torch.tensor([text.numel()]), group=self.group)
        longest = max(int(length) for length in lengths)
        padded = torch.zeros(longest, dtype=torch.uint8)
        padded[: text.numel()] = text
        texts = [torch.zeros_like(padded) for _ in range(self.size)]
        dist.all_gather(texts, padded, group=self.group)
        return [json.loads(text[: int(length)].numpy().tobytes()) for text, length in zip(texts, lengths, strict=True)]

    @contextmanager
    def first_goes_first(self) -> Iterator[None]:
        """Process 0 runs the block before the others do: it makes what they then find made."""
        if self.size > 1 and not self.is_first:
            _store().wait([_PREPARED], _PREPARATION)
        yield
        if self.size > 1 and self.is_first:
            _store().set(_PREPARED, "1")


def is_launched() -> bool:
    """Whether this process is one of several, started by torchrun or mtcli/training/launch.py."""
    return os.environ.get("WORLD_SIZE", "1") != "1"


def launched_as() -> tuple[int, int, int]:
    """This process's rank, how many there are, and its rank on its machine, as the launcher says.

    Raises:
        ConfigError: it does not say, or nonsense.
    """
    said = {name: os.environ.get(name, "not set") for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    numbers = [int(value) if value.isdecimal() else -1 for value in said.values()]
    rank, size, local_rank = numbers
    if min(numbers) < 0 or max(rank, local_rank) >= size:
        raise ConfigError(
            f"WORLD_SIZE={said['WORLD_SIZE']} says that several processes train together, which does not go with "
            f"RANK={said['RANK']} and LOCAL_RANK={said['LOCAL_RANK']}. Start them with mtcli train --nproc N or "
            "torchrun, or unset WORLD_SIZE to train alone."
        )
    return rank, size, local_rank


@contextmanager
def world_of_this_process(device: torch.device | None = None) -> Iterator[World]:
    """Join the processes that torchrun started, as its environment variables say; alone without them.

    Raises:
        ConfigError: the variables are not those that torchrun sets.
        BackendUnavailableError: the processes cannot reach each other.
        TrainingError: another process has ended before this one.
    """
    if not is_launched():
        yield World()
        return
    rank, size, local_rank = launched_as()
    backend = "nccl" if device is not None and device.type == "cuda" else "gloo"
    try:
        dist.init_process_group(backend, timeout=_PATIENCE)
        group = dist.new_group(backend="gloo", timeout=_PATIENCE) if backend != "gloo" else dist.group.WORLD
    except (RuntimeError, ValueError) as error:
        raise BackendUnavailableError(
            f"Process {rank} of {size} cannot reach the others ({_first_line(error)}). "
            "Check MASTER_ADDR and MASTER_PORT, and that all processes were started."
        ) from error
    world = World(rank, size, local_rank, group, os.getppid() if "TORCHELASTIC_RUN_ID" in os.environ else 0)
    try:
        yield world
    except RuntimeError as error:
        if not _is_lost_connection(error):
            raise
        raise TrainingError(
            f"Process {world.rank} of {world.size}: another process of this run has ended ({_first_line(error)}). "
            "Look at its own message. The same command goes on from the last checkpoint."
        ) from error
    finally:
        dist.destroy_process_group()


def _store() -> Any:
    return dist.distributed_c10d._get_default_store()


def _is_lost_connection(error: RuntimeError) -> bool:
    if isinstance(error, dist.DistBackendError | dist.DistNetworkError | dist.DistStoreError):
        return True
    words = ("connection", "peer", "gloo", "socket", "broken pipe", "timed out")
    return any(word in str(error).lower() for word in words)


def _first_line(error: BaseException) -> str:
    """What gloo or NCCL says, without the place in its source and its advice."""
    said = str(error).strip().partition("\n")[0]
    return re.sub(r"^\[[^]]*\.cc:\d+\]\s*", "", said).partition(". ")[0].removesuffix(".")
