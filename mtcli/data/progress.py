"""How far a long pass over the corpus has come: a bar on a terminal, elsewhere a sentence now and then."""

import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

Report = Callable[[str], None]
_INTERVAL = 10.0  # seconds between sentences


class PassProgress:
    """Told of every step, shows what fraction is done and how long the rest will take."""

    def __init__(self, title: str, total: float | None, report: Report, console: Console | None = None) -> None:
        """Begin a pass.

        Args:
            title: what is being done.
            total: how much there is to do, in any unit; None where nobody knows.
            report: told a sentence every ten seconds, where no bar is shown.
            console: where to show a bar, if it is a terminal.
        """
        self._title, self._total, self._report = title, total, report
        self._done, self._pairs = 0.0, 0
        self._began = self._told = time.monotonic()
        self._bar: Progress | None = None
        if console is not None and console.is_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                TaskProgressColumn(),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=console, transient=True)
            self._task = self._bar.add_task(title, total=total)

    def advance(self, amount: float, pairs: int) -> None:
        """So much more is done, in the total's unit, and so many more pairs."""
        self._done += amount
        self._pairs += pairs
        if self._bar:
            self._bar.update(self._task, completed=self._done, description=f"{self._title}: {self._pairs:,} pairs")
        elif time.monotonic() - self._told >= _INTERVAL:
            self._told = time.monotonic()
            self._report(f"{self._title}: {self._pairs:,} pairs{self._rest()}")

    def _rest(self) -> str:
        if not self._total or not self._done:
            return ""
        left = (time.monotonic() - self._began) * (self._total - self._done) / self._done
        return f", {self._done / self._total:.0%}, {timedelta(seconds=round(max(0.0, left)))} left"

    def __enter__(self) -> "PassProgress":
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()
