"""One run of `mtcli bench`: the ceilings, then each section asked for, within its time."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from mtcli.bench.budget import CEILINGS, SECTIONS, Budget
from mtcli.bench.record.schema import Ceilings, Device, Kernels, Record, Train, Translate
from mtcli.bench.record.stored import as_stored
from mtcli.bench.settings import Asked

Section = Callable[[Asked, Ceilings, list[str]], Kernels | Translate | Train]


class Run:
    """Measures section by section and holds what has been measured so far.

    Args:
        asked: device, number type, model and seed; its `ends_at` is set for each section.
        sections: those to measure, of `SECTIONS`.
        seconds: for all of it; None for what `mtcli.bench.budget` gives.
        command: how it was called.
    """

    def __init__(self, asked: Asked, sections: Sequence[str], *, seconds: float | None, command: str) -> None:
        self._asked = asked
        self._sections = [name for name in SECTIONS if name in sections]
        self._budget = Budget(sections, on_gpu=asked.on_gpu, seconds=seconds)
        self._command = command
        self._date = datetime.now(UTC).isoformat(timespec="seconds")
        self._began = time.monotonic()
        self._versions = _versions()
        self.device = _device(asked)
        self._ceilings: Ceilings | None = None
        self._found: dict[str, Any] = {}
        self._left_out: list[str] = []

    def measure(self) -> Record:
        """Measure all; what is found stays in `so_far` when it is interrupted.

        Raises:
            MtcliError: as the sections do.
        """
        measure_ceilings = _ceilings()
        self._ceilings = measure_ceilings(self._within(CEILINGS))
        for name in self._sections:
            measure = LOAD[name]()
            found = self._found[name] = measure(self._within(name), self._ceilings, self._left_out)
            if isinstance(found, Kernels) and found.broken:
                break  # the others would fail as well, and look wrong themselves
        record = self.so_far()
        assert record is not None
        return record

    def so_far(self) -> Record | None:
        """What has been measured, sections that were not finished left out; None where not even the ceilings are."""
        if self._ceilings is None:
            return None
        unfinished = [name for name in self._sections if name not in self._found]
        record = Record(
            command=self._command,
            date=self._date,
            seconds=time.monotonic() - self._began,
            seed=self._asked.seed,
            device=self.device,
            versions=self._versions,
            left_out=(*self._left_out, *(f"{name}: it was stopped before the end." for name in unfinished)),
            ceilings=self._ceilings,
            **self._found,
        )
        return as_stored(record)

    def _within(self, section: str) -> Asked:
        spent = time.monotonic() - self._began
        ends_at = time.monotonic() + self._budget.share(section, spent)
        return dataclasses.replace(self._asked, ends_at=ends_at)


def _versions() -> dict[str, str]:
    from mtcli.bench.machine import versions

    return versions()


def _device(asked: Asked) -> Device:
    from mtcli.bench.machine import device

    return device(asked)


# What a section imports takes seconds on its own, which are not its time to measure.


def _ceilings() -> Callable[[Asked], Ceilings]:
    from mtcli.bench.ceilings import measure_ceilings

    return measure_ceilings


def _kernels() -> Section:
    from mtcli.bench.kernels.comparison import operation
    from mtcli.bench.kernels.section import OPERATIONS, measure_kernels

    for name in OPERATIONS:
        operation(name)
    return measure_kernels


def _translate() -> Section:
    from mtcli.bench.translation.section import measure_translate

    return measure_translate


def _train() -> Section:
    from mtcli.bench.training.section import measure_train

    return measure_train


LOAD: dict[str, Callable[[], Section]] = {"kernels": _kernels, "translate": _translate, "train": _train}
