"""What a run tells its user and leaves in log.jsonl: a live line on a terminal, plain lines elsewhere."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from mtcli.files import read_lines, write_atomically


class Journal:
    """Writes log.jsonl and shows the run on stderr."""

    def __init__(self, path: Path | None, console: Console, quiet: bool = False) -> None:
        """`path` is None where another process writes the log."""
        self._path, self._console, self._quiet = path, console, quiet
        self._bar: Progress | None = None
        self._bleu = ""

    @property
    def console(self) -> Console | None:
        """Where others may show how far they are; None when quiet."""
        return None if self._quiet else self._console

    def say(self, sentence: str) -> None:
        """Tell the user something, unless quiet."""
        if not self._quiet:
            self._console.print(sentence, markup=False, highlight=False, soft_wrap=True)

    def rewind(self, step: int) -> None:
        """Forget what was logged after `step`: the run goes on from there."""
        if self._path and self._path.exists():
            kept = [line for line in read_lines(self._path) if _step_of(line) <= step]
            write_atomically(self._path, "".join(line + "\n" for line in kept))

    def start(self, fraction: float) -> None:
        """Show the bar, where there is a terminal to show it on."""
        if self._quiet or not self._console.is_terminal:
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TaskProgressColumn(),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._bar.add_task("starting", total=1.0)
        self._bar.update(self._bar.task_ids[0], completed=fraction)
        self._bar.start()

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.stop()
            self._bar = None

    def training(self, fraction: float, eta_seconds: float | None, record: dict[str, Any]) -> None:
        """Log the steps since the last call."""
        self._write({"kind": "train", **record})
        text = (
            f"step {record['step']:,}  loss {record['loss']:.3f}  "
            f"{record['tgt_tokens_per_second']:,.0f} tok/s  rate {record['learning_rate']:.2e}"
        )
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=fraction, description=text + self._bleu)
        else:
            eta = "" if eta_seconds is None else f"  ETA {format_seconds(eta_seconds)}"
            self.say(f"{text}{self._bleu}{eta}")

    def validating(self, step: int) -> None:
        """Show that a validation has begun: it may take longer than many steps."""
        if self._bar:
            self._bar.update(self._bar.task_ids[0], description=f"step {step:,}  validating ...")

    def validation(self, record: dict[str, Any], best: str) -> None:
        """Log a validation; `best` says that it is the best so far, where it is."""
        self._write({"kind": "valid", **record})
        self._bleu = f"  BLEU {record['bleu']:.2f}"
        self.say(
            f"validation at step {record['step']:,}: BLEU {record['bleu']:.2f}, "
            f"perplexity {record['perplexity']:.2f}{f'  ({best})' if best else ''}"
        )

    def int8(self, record: dict[str, Any], obstacle: str | None) -> None:
        """Log that int8 was compared with float32; `obstacle` says why it may not stand in, where it may not."""
        self._write({"kind": "int8", **record})
        scores = ", ".join(
            f"{label} {record[name]['float32']:.2f} -> {record[name]['int8']:.2f}"
            for name, label in (("bleu", "BLEU"), ("chrf", "chrF"))
        )
        outcome = f"float32 stays the default. {obstacle}" if obstacle else "translating on a CPU is int8 by default."
        self.say(f"int8 compared with float32 on {record['lines']:,} validation lines: {scores}; {outcome}")

    def _write(self, record: dict[str, Any]) -> None:
        if self._path:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(record) + "\n")


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):  # a line cut short by a kill
        return float("inf")


def format_seconds(seconds: float) -> str:
    """A duration as people write it: 45s, 12m05s, 3h07m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
