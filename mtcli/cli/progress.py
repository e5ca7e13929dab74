"""The bar that `mtcli translate` shows on a terminal's stderr."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task
from rich.text import Text

from mtcli.files import size_as_read
from mtcli.jobs.tally import Tally


@contextmanager
def progress_bar(tally: Tally) -> Iterator[None]:
    """Show lines, target tokens a second and the time left while the block runs; nothing stays on the screen."""
    columns = [SpinnerColumn(), BarColumn(), _Numbers(tally)]
    console = Console(stderr=True)
    with _Bar(tally, *columns, console=console, transient=True, refresh_per_second=5) as bar:
        bar.add_task("", total=None if tally.total_bytes is None else 1.0)
        yield


def size_of_inputs(paths: Sequence[Path]) -> int | None:
    """Sum the bytes that reading all inputs will give; None where that cannot be told beforehand."""
    sizes = [size_as_read(path) for path in paths]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


class _Bar(Progress):
    """A bar that reads the tally whenever it is drawn, so that counting costs the translation nothing."""

    def __init__(self, tally: Tally, *columns: ProgressColumn, **options: object) -> None:
        self._tally = tally
        super().__init__(*columns, **options)  # type: ignore[arg-type]

    def get_renderables(self) -> Iterable[RenderableType]:
        for task in self.task_ids:
            self.update(task, completed=self._tally.share_done or 0.0)
        return super().get_renderables()


class _Numbers(ProgressColumn):
    max_refresh = None

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        super().__init__()

    def render(self, task: Task) -> Text:
        tally, left = self._tally, self._tally.seconds_left
        eta = "" if left is None else f", {_clock(left)} left"
        return Text(f"{tally.lines:,} lines, {tally.tokens_per_second:,.0f} tokens/s{eta}")


def _clock(seconds: float) -> str:
    """h:mm:ss, or m:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
