"""What a run has found so far. Needs no torch."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from mtcli.bench.record.schema import BenchRecord, BenchRow, Ceilings, Device, Workload
from mtcli.bench.record.stored import as_stored


class Findings:
    """What has been measured so far, saved whenever there is more.

    Args:
        command, seed, device, versions: as `BenchRecord` has them.
        save: gets the record.

    Attributes:
        ceilings: once they are measured.
        unfinished: sections that are not over.
    """

    def __init__(
        self, *, command: str, seed: int, device: Device, versions: dict[str, str], save: Callable[[BenchRecord], None]
    ) -> None:
        self.ceilings: Ceilings | None = None
        self.unfinished: list[str] = []
        date = datetime.now(UTC).isoformat(timespec="seconds")
        self._head = {"command": command, "date": date, "seed": seed, "device": device, "versions": versions}
        self._began = time.monotonic()
        self._save = save
        self._rows: dict[tuple[str, str, str, str], BenchRow] = {}
        self._workloads: dict[str, Workload] = {}
        self._left_out: list[str] = []

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def add(self, *rows: BenchRow) -> None:
        """Add rows behind the others, without what was known of the same before."""
        new = {row.key: row for row in rows}
        self._rows = {key: row for key, row in self._rows.items() if key not in new} | new
        self.save()

    def describe(self, section: str, workload: Workload) -> None:
        """Say what a section works on."""
        self._workloads[section] = workload

    def leave_out(self, words: str) -> None:
        """Say what the time did not suffice for."""
        self._left_out.append(words)

    def save(self) -> BenchRecord | None:
        """Save the record, and return it."""
        if record := self.record():
            self._save(record)
        return record

    def record(self) -> BenchRecord | None:
        """All of it; None where not even the ceilings are known."""
        if self.ceilings is None:
            return None
        found = {"ceilings": self.ceilings, "workloads": self._workloads, "rows": tuple(self._rows.values())}
        stopped = [f"{name}: it was stopped before the end" for name in self.unfinished]
        more = {"seconds": self.seconds, "left_out": (*self._left_out, *stopped)}
        return as_stored(BenchRecord.model_validate(self._head | found | more))
